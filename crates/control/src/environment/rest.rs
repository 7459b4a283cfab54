//! Previews come to their end or to rest by themselves, and wake up when somebody wants them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use windlass_domain::{
    DeploymentState, Environment, EnvironmentId, HostLabel, JobKind, LogId, PausedBy,
};
use windlass_storage::{Resting, Signal, UnitOfWork};

use super::{begin_destroying, enqueue_once};
use crate::{Causes, Control, ControlError, audit::Deed, caller::Initiator};

/// Starts the app of an environment that rests: somebody sent it a request. Any other environment
/// stays as it is.
pub async fn wake_environment(control: &Control, host: &HostLabel) -> Result<(), ControlError> {
    let mut uow = control.store().read().await?;
    let found = uow.environments().find_at_of_everyone(host).await?;
    drop(uow);
    let Some(found) = found.filter(Environment::wakes_on_request) else { return Ok(()) };

    let mut uow = control.store().write().await?;
    let held = uow.environments().find_for_update(found.organization_id, found.id).await?;
    let Some(held) = held.filter(Environment::wakes_on_request) else { return Ok(()) };
    let environment = held.resume(control.fx().clock.now())?;
    uow.environments().update(&environment).await?;
    let app_log = LogId::App(environment.id);
    control.say(&mut *uow, app_log, "A request woke the environment").await?;
    control.write_down(&mut *uow, Deed::by_platform(&environment, "wake_environment")).await?;
    uow.signal(Signal::Environment(environment.id));
    uow.commit().await?;
    tracing::info!(environment.id = %environment.id, "a request woke the environment");
    Ok(())
}

impl Control {
    /// Ends previews that have had their time and pauses those that nobody visits, until `stop`.
    pub(crate) async fn tend_previews_until(&self, stop: &CancellationToken) {
        let pause = self.settings().tend_previews;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            if let Err(err) = self.tend_previews().await {
                tracing::warn!(error = %Causes(&err), "cannot look after the previews");
            }
        }
    }

    async fn tend_previews(&self) -> Result<(), ControlError> {
        let visited = self.inner.routes.take_visits();
        let mut uow = self.store().read().await?;
        let previews = uow.environments().list_previews_of_everyone().await?;
        drop(uow);
        let now = self.fx().clock.now();
        self.note_visits(&previews, &visited, now).await?;
        for resting in previews {
            let id = resting.environment.id;
            // One that cannot be looked after now must not keep the others waiting.
            if let Err(err) = self.tend_preview(&resting, now).await {
                tracing::warn!(environment.id = %id, error = %Causes(&err), "a preview stays as it is");
            }
        }
        Ok(())
    }

    async fn note_visits(
        &self,
        previews: &[Resting],
        visited: &HashSet<HostLabel>,
        now: DateTime<Utc>,
    ) -> Result<(), ControlError> {
        // What never rests is not counted, so that it causes no writing.
        let counts = |it: &&Resting| it.previews.idle_at(&it.environment).is_some();
        let visits: Vec<(EnvironmentId, DateTime<Utc>)> = previews
            .iter()
            .filter(counts)
            .filter(|it| visited.contains(&it.environment.host))
            .map(|it| (it.environment.id, now))
            .collect();
        if visits.is_empty() {
            return Ok(());
        }
        let mut uow = self.store().write().await?;
        uow.environments().note_visits(&visits).await?;
        Ok(uow.commit().await?)
    }

    async fn tend_preview(&self, seen: &Resting, now: DateTime<Utc>) -> Result<(), ControlError> {
        let is_over = |it: &Environment| {
            it.check_deployable().is_ok()
                && seen.previews.expires_at(it).is_some_and(|end| end <= now)
        };
        // Other servers tell of their visits as often as this one.
        let patience = self.settings().tend_previews;
        let is_idle =
            |it: &Environment| seen.previews.idle_at(it).is_some_and(|end| end + patience <= now);
        if !is_over(&seen.environment) && !is_idle(&seen.environment) {
            return Ok(());
        }
        let Environment { organization_id, id, .. } = seen.environment;
        let mut uow = self.store().write().await?;
        let held = uow.environments().find_for_update(organization_id, id).await?;
        let Some(held) = held else { return Ok(()) };
        if is_over(&held) {
            self.expire(&mut *uow, held).await?;
        } else if is_idle(&held) {
            self.lull(&mut *uow, held, now).await?;
        } else {
            return Ok(());
        }
        Ok(uow.commit().await?)
    }

    async fn expire(
        &self,
        uow: &mut dyn UnitOfWork,
        held: Environment,
    ) -> Result<(), ControlError> {
        let initiator = by_itself(&held);
        let environment = begin_destroying(self, &initiator, uow, held.id).await?;
        let text = "The preview has had its time and is being destroyed";
        self.say(uow, LogId::App(environment.id), text).await?;
        self.write_down(uow, Deed::by_platform(&environment, "expire_preview")).await
    }

    async fn lull(
        &self,
        uow: &mut dyn UnitOfWork,
        held: Environment,
        now: DateTime<Utc>,
    ) -> Result<(), ControlError> {
        let initiator = by_itself(&held);
        let (organization, id) = (held.organization_id, held.id);
        let unfinished = uow.deployments().list_unfinished_for_update(organization, id).await?;
        if unfinished.iter().any(|it| !matches!(it.state, DeploymentState::Live { .. })) {
            // Once it is live, or has failed, it can rest.
            return Ok(());
        }
        let environment = held.pause(PausedBy::Idleness, now)?;
        uow.environments().update(&environment).await?;
        let text = "Nobody sent a request: the environment rests until somebody does";
        self.say(uow, LogId::App(id), text).await?;
        let kind = JobKind::PauseEnvironment { environment_id: id };
        enqueue_once(self, &initiator, uow, &environment, kind).await?;
        uow.signal(Signal::Environment(id));
        self.write_down(uow, Deed::by_platform(&environment, "rest_environment")).await
    }
}

fn by_itself(environment: &Environment) -> Initiator {
    Initiator {
        organization: environment.organization_id,
        label: "Windlass".to_owned(),
        request_id: None,
    }
}
