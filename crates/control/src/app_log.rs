//! Follows what apps print.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle};
use windlass_domain::{DeploymentId, EnvironmentId, LogId};

use crate::{Causes, Control, log_store::Pipe};

/// Lines that may wait between the engine and the database.
const IN_FLIGHT: usize = 1_000;
/// How long to wait before following again after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// The apps that are being followed.
#[derive(Default)]
pub(crate) struct Followers {
    tasks: Mutex<HashMap<DeploymentId, JoinHandle<()>>>,
}

impl Control {
    /// Stores what an app prints from now on and what of it is not stored yet, until it has ended
    /// for good. Without effect on an app that is being followed.
    pub(crate) fn follow_app(&self, environment: EnvironmentId, deployment: DeploymentId) {
        let followers = &self.inner.followers;
        let mut tasks = followers.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|_, task| !task.is_finished());
        tasks.entry(deployment).or_insert_with(|| {
            let control = self.clone();
            tokio::spawn(async move { control.follow(environment, deployment).await })
        });
    }

    /// Waits until the last lines of an app that was stopped are stored.
    pub(crate) async fn followed_to_end(&self, deployment: DeploymentId, at_most: Duration) {
        let followers = &self.inner.followers;
        let task =
            followers.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&deployment);
        if let Some(task) = task
            && tokio::time::timeout(at_most, task).await.is_err()
        {
            tracing::warn!(deployment.id = %deployment, "the app's log is read no further");
        }
    }

    async fn follow(&self, environment: EnvironmentId, deployment: DeploymentId) {
        let pipe = Pipe::of_app(environment, deployment);
        loop {
            let Ok(from) = self.stored_lines(pipe).await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (sender, lines) = mpsc::channel(IN_FLIGHT);
            let (followed, stored) = tokio::join!(
                self.engine().follow(deployment, from, sender),
                self.store_lines(pipe, lines),
            );
            match (followed, stored) {
                (Ok(()), Ok(())) => break,
                (Err(err), _) => {
                    tracing::warn!(deployment.id = %deployment, error = %Causes(&err), "cannot follow the app");
                }
                (Ok(()), Err(err)) => {
                    tracing::error!(deployment.id = %deployment, error = %Causes(&err), "cannot store the log");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Drops the oldest lines of the apps' logs.
    pub(crate) async fn trim_app_logs(
        &self,
        environments: HashSet<EnvironmentId>,
    ) -> Result<(), windlass_storage::StoreError> {
        let keep = self.settings().app_log_lines;
        let mut too_long = Vec::new();
        let mut uow = self.store().read().await?;
        for environment in environments {
            let log = LogId::App(environment);
            let head = uow.logs().head(log).await?;
            // Now and then is often enough: a tenth more than wanted does no harm.
            if keep + keep / 10 < head.next_seq.saturating_sub(head.first_seq) {
                too_long.push(log);
            }
        }
        drop(uow);
        for log in too_long {
            let mut uow = self.store().write().await?;
            uow.logs().trim(log, keep).await?;
            uow.commit().await?;
        }
        Ok(())
    }
}
