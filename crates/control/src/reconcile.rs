//! Compares what the database wants with what the engine observes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, broadcast::error::RecvError};
use tokio_util::sync::CancellationToken;
use windlass_domain::{
    BuildId, Deployment, DeploymentId, DeploymentState, Environment, EnvironmentId,
    EnvironmentState, LogId,
};
use windlass_engine::{AppState, EngineError, ObservedApp};
use windlass_services::ServiceError;
use windlass_storage::Signal;

use crate::{
    Causes, Control, ControlError, deployment,
    watch::Watch,
    worker::{LoadError, load_app_request},
};

/// How many apps that are gone are started again at once.
const REVIVED_AT_ONCE: usize = 4;

impl Control {
    /// Reconciles until `stop`: now and then, and whenever an app or an environment changes.
    pub(crate) async fn reconcile_until(&self, stop: &CancellationToken) {
        loop {
            // Anew each time: what happens from here on is seen by the look that follows, so that
            // a burst causes one more round and not as many.
            let mut changes = self.engine().changes();
            let mut environments = Watch::of_environments(self, self.settings().reconcile);
            if let Err(err) = self.reconcile().await {
                tracing::warn!(
                    error = %Causes(&err),
                    "cannot compare what runs with what is wanted"
                );
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = environments.changed() => {}
                // Whatever it says, or if it lags: look at all of it.
                change = changes.recv() => if change == Err(RecvError::Closed) {
                    tokio::time::sleep(self.settings().poll).await;
                },
            }
        }
    }

    /// Brings the engine and the routes in step with the database, once. Where they agree it does
    /// nothing. Called before the server begins to listen, it adopts what still runs.
    pub async fn reconcile(&self) -> Result<(), ControlError> {
        // In this order: an app, a build or a task seen here belongs to rows that were stored before it.
        let kept = match self.engine().kept_builds().await {
            Ok(kept) => kept,
            Err(err) => return Err(ControlError::Unavailable(Box::new(err))),
        };
        let tasks = match self.engine().kept_tasks().await {
            Ok(tasks) => tasks,
            Err(err) => return Err(ControlError::Unavailable(Box::new(err))),
        };
        let observed = self
            .engine()
            .observe()
            .await
            .map_err(|err| ControlError::Unavailable(Box::new(err)))?;
        let mut uow = self.store().read().await?;
        let environments = uow.environments().list_present_of_everyone().await?;
        let needed = uow.builds().list_needed_of_everyone(self.settings().kept_builds).await?;
        let starting = if tasks.is_empty() {
            Vec::new()
        } else {
            uow.deployments().list_starting_of_everyone().await?
        };
        drop(uow);

        let running: HashSet<DeploymentId> = observed.iter().map(|app| app.deployment).collect();
        let by_id: HashMap<EnvironmentId, &Environment> =
            environments.iter().map(|environment| (environment.id, environment)).collect();
        for app in &observed {
            // One that cannot be looked after now must not keep the others waiting.
            if let Err(err) = self.reconcile_app(app, by_id.get(&app.environment).copied()).await {
                tracing::warn!(deployment.id = %app.deployment, error = %Causes(&err), "an app stays as it is");
            }
        }
        for environment in &environments {
            if let (Some(live), EnvironmentState::Active) =
                (environment.live_deployment, &environment.state)
                && !running.contains(&live)
            {
                self.revive_in_background(environment.clone(), live);
            }
        }
        self.inner.routes.refresh().await?;
        let unneeded: Vec<BuildId> =
            kept.into_iter().filter(|build| !needed.contains(build)).collect();
        if !unneeded.is_empty()
            && let Err(err) = self.engine().remove_builds(&unneeded).await
        {
            tracing::warn!(error = %Causes(&err), "cannot remove what old builds left");
        }
        for task in tasks.into_iter().filter(|task| !starting.contains(&task.deployment)) {
            if let Err(err) = self.engine().forget_task(task).await {
                tracing::warn!(%task, error = %Causes(&err), "cannot remove what a task left");
            }
        }
        self.trim_app_logs(running_environments(&observed)).await?;
        Ok(())
    }

    async fn reconcile_app(
        &self,
        app: &ObservedApp,
        environment: Option<&Environment>,
    ) -> Result<(), ControlError> {
        let Some(environment) = environment else {
            self.stop_in_background(app.deployment, "its environment is gone");
            return Ok(());
        };
        let is_live = environment.live_deployment == Some(app.deployment);
        if is_live && matches!(environment.state, EnvironmentState::Paused { .. }) {
            // The job that pauses lets requests end before it stops the app.
            if self.is_drained_since(environment.updated_at) {
                self.stop_in_background(app.deployment, "its environment is paused");
            }
            return Ok(());
        }
        if is_live {
            self.follow_app(environment.id, app.deployment);
            if let AppState::Crashed { reason } = &app.state {
                self.app_failed(environment, app.deployment, reason).await?;
            }
            return Ok(());
        }
        let mut uow = self.store().read().await?;
        let deployment =
            uow.deployments().find(environment.organization_id, app.deployment).await?;
        drop(uow);
        match deployment {
            Some(deployment) if !self.may_be_stopped(&deployment) => {
                self.follow_app(environment.id, app.deployment);
            }
            Some(_) | None => {
                self.stop_in_background(app.deployment, "nothing wants it any more");
            }
        }
        Ok(())
    }

    /// Whether nobody is at work on the app of a deployment that is not the live one.
    fn may_be_stopped(&self, deployment: &Deployment) -> bool {
        match &deployment.state {
            // The job that replaced it lets requests end before it stops the app.
            DeploymentState::Superseded { at } => self.is_drained_since(*at),
            DeploymentState::Failed { .. } | DeploymentState::Cancelled { .. } => true,
            DeploymentState::Queued
            | DeploymentState::Building
            | DeploymentState::Deploying
            | DeploymentState::Live { .. } => false,
        }
    }

    /// Whether a job that began then has had the time to let requests end and to stop an app.
    fn is_drained_since(&self, then: DateTime<Utc>) -> bool {
        let settings = self.settings();
        let age = (self.fx().clock.now() - then).to_std().unwrap_or_default();
        settings.drain_timeout + settings.stop_grace < age
    }

    fn stop_in_background(&self, deployment: DeploymentId, why: &'static str) {
        tracing::info!(deployment.id = %deployment, why, "stopping an app");
        let control = self.clone();
        tokio::spawn(async move {
            let grace = control.settings().stop_grace;
            if let Err(err) = control.engine().stop(deployment, grace).await {
                tracing::warn!(deployment.id = %deployment, error = %Causes(&err), "cannot stop an app");
            }
        });
    }

    /// Starts the app of a live deployment that is not there: the machine was restarted. Nobody
    /// waits for it, and while it goes on it is not begun again.
    fn revive_in_background(&self, environment: Environment, live: DeploymentId) {
        let Some(mark) = self.inner.reviving.begin(live) else { return };
        tracing::warn!(environment.id = %environment.id, "the live app is gone: starting it again");
        let control = self.clone();
        tokio::spawn(async move {
            let _mark = mark;
            // A few at a time: all at once after a restart of the machine, none would be healthy
            // in time.
            let Ok(_place) = control.inner.reviving.places.acquire().await else { return };
            let stopping = control.inner.stopping.clone();
            let revived = stopping.run_until_cancelled(control.revive(&environment, live)).await;
            if let Some(Err(err)) = revived {
                tracing::warn!(environment.id = %environment.id, error = %Causes(&err), "not started");
            }
        });
    }

    async fn revive(
        &self,
        environment: &Environment,
        live: DeploymentId,
    ) -> Result<(), ControlError> {
        let request = match load_app_request(self, environment, live).await {
            Ok(request) => request,
            Err(LoadError::Gone) => return Ok(()),
            Err(LoadError::Control(err)) => return Err(err),
            Err(LoadError::Service(
                err @ (ServiceError::Missing { .. } | ServiceError::Refused(_)),
            )) => {
                return self.app_failed(environment, live, &err.to_string()).await;
            }
            Err(LoadError::Service(err @ ServiceError::Unavailable { .. })) => {
                return Err(ControlError::Unavailable(Box::new(err)));
            }
        };
        match self.engine().start(&request).await {
            Ok(_) => Ok(self.inner.routes.refresh().await?),
            Err(EngineError::Refused(reason)) => self.app_failed(environment, live, &reason).await,
            Err(err) => Err(ControlError::Unavailable(Box::new(err))),
        }
    }

    /// Writes down that the live app does not run and will not by itself.
    async fn app_failed(
        &self,
        environment: &Environment,
        live: DeploymentId,
        reason: &str,
    ) -> Result<(), ControlError> {
        let organization = environment.organization_id;
        let now = self.fx().clock.now();
        let mut uow = self.store().write().await?;
        let held = uow.environments().find_for_update(organization, environment.id).await?;
        let deployment = uow.deployments().find_for_update(organization, live).await?;
        let (Some(held), Some(deployment)) = (held, deployment) else { return Ok(()) };
        if held.live_deployment != Some(live) || held.state != EnvironmentState::Active {
            return Ok(());
        }
        deployment::update(self, &mut *uow, &deployment.fail(reason, now)?).await?;
        uow.environments().update(&held.app_failed(reason, now)?).await?;
        let text = format!("the app of {live} has failed: {reason}");
        for line in text.lines() {
            self.say(&mut *uow, LogId::App(environment.id), line).await?;
        }
        uow.signal(Signal::Environment(environment.id));
        uow.commit().await?;

        tracing::info!(deployment.id = %live, "the live app has failed");
        self.stop_in_background(live, "it keeps ending by itself");
        Ok(())
    }
}

/// The deployments whose apps are being started again.
pub(crate) struct Reviving {
    marks: Arc<Mutex<HashSet<DeploymentId>>>,
    places: Semaphore,
}

/// Marks a deployment until it is dropped.
struct Mark {
    deployment: DeploymentId,
    marks: Arc<Mutex<HashSet<DeploymentId>>>,
}

impl Default for Reviving {
    fn default() -> Self {
        Self { marks: Arc::default(), places: Semaphore::new(REVIVED_AT_ONCE) }
    }
}

impl Reviving {
    /// `None` where somebody is at it already.
    fn begin(&self, deployment: DeploymentId) -> Option<Mark> {
        let is_new = self.marks.lock().unwrap_or_else(PoisonError::into_inner).insert(deployment);
        is_new.then(|| Mark { deployment, marks: Arc::clone(&self.marks) })
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.deployment);
    }
}

fn running_environments(observed: &[ObservedApp]) -> HashSet<EnvironmentId> {
    observed.iter().map(|app| app.environment).collect()
}
