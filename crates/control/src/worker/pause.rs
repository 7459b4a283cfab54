//! Stops the apps of a paused environment.

use windlass_domain::{Environment, EnvironmentId, EnvironmentState};
use windlass_engine::ObservedApp;

use super::{
    attempt::{Attempt, AttemptError},
    stop::{drain, end},
};

/// Stops an environment's apps once the requests to them are through, unless it was resumed.
pub(super) async fn carry_out(attempt: &Attempt, id: EnvironmentId) -> Result<(), AttemptError> {
    let routes = &attempt.control.inner.routes;
    // From here on its address says that it is paused.
    routes.refresh().await?;
    let observed = attempt.control.engine().observe().await?;
    for app in observed.into_iter().filter(|app| app.environment == id) {
        // Resumed meanwhile, it would be sent requests up to its end.
        let leaving = routes.leave(app.deployment);
        stop(attempt, id, &app).await?;
        drop(leaving);
        routes.refresh().await?;
    }
    let mut uow = attempt.control.store().read().await?;
    let found = uow.environments().find(attempt.job.organization_id, id).await?;
    drop(uow);
    if let Some(environment) = found {
        attempt.control.rest_services(&environment).await?;
    }
    Ok(())
}

async fn stop(attempt: &Attempt, id: EnvironmentId, app: &ObservedApp) -> Result<(), AttemptError> {
    drain(attempt, app).await;
    if is_paused(attempt, id).await? {
        end(attempt, app.deployment).await?;
        tracing::info!(environment.id = %id, deployment.id = %app.deployment, "app paused");
    }
    Ok(())
}

async fn is_paused(attempt: &Attempt, id: EnvironmentId) -> Result<bool, AttemptError> {
    let mut uow = attempt.control.store().read().await?;
    let found = uow.environments().find(attempt.job.organization_id, id).await?;
    let is_paused = |found: Environment| matches!(found.state, EnvironmentState::Paused { .. });
    Ok(found.is_some_and(is_paused))
}
