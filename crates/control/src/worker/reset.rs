//! Empties what an environment's backing services hold.

use windlass_domain::{DeploymentState, Environment, EnvironmentState, LogId};
use windlass_storage::Signal;

use super::{
    attempt::{Attempt, AttemptError},
    deploy,
    stop::{drain, end},
};
use crate::deployment;

/// Ends an environment's app, empties its services, and leaves it as a new one. Where that is cut
/// off it begins anew: nothing new was put there before the end of it is written down.
pub(super) async fn carry_out(
    attempt: &Attempt,
    environment: &Environment,
) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let routes = &control.inner.routes;
    let observed = control.engine().observe().await?;
    // What still runs would fill what is being emptied.
    for app in observed.into_iter().filter(|app| app.environment == environment.id) {
        let leaving = routes.leave(app.deployment);
        routes.refresh().await?;
        drain(attempt, &app).await;
        end(attempt, app.deployment).await?;
        drop(leaving);
    }
    routes.refresh().await?;
    control.empty_services(environment).await?;
    write_emptied(attempt).await
}

async fn write_emptied(attempt: &Attempt) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let now = control.fx().clock.now();
    let mut held = attempt.hold().await?;
    if held.environment.check_deployable().is_err() {
        return Ok(());
    }
    let is_on = held.environment.state == EnvironmentState::Resetting;
    if let Some(old) = held.environment.live_deployment.filter(|_| is_on) {
        let old = deploy::find_for_update(attempt, &mut *held.uow, old).await?;
        if matches!(old.state, DeploymentState::Live { .. }) {
            deployment::update(control, &mut *held.uow, &old.supersede(now)?).await?;
        }
    }
    let environment = held.environment.emptied(now)?;
    held.uow.environments().update(&environment).await?;
    let text = "Everything that its backing services held was removed";
    control.say(&mut *held.uow, LogId::App(environment.id), text).await?;
    held.uow.signal(Signal::Environment(environment.id));
    held.uow.commit().await?;
    tracing::info!(environment.id = %environment.id, "environment emptied");
    Ok(())
}
