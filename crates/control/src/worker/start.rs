//! Starts the app of a deployment beside the one that answers, switches, and ends the old one.

use std::time::Duration;

use windlass_domain::{
    BuildResult, DeploymentId, DeploymentState, EnvironmentId, EnvironmentState, LogId,
};
use windlass_engine::{EngineError, ObservedApp};
use windlass_services::ServiceError;
use windlass_storage::Signal;

use super::{
    attempt::{Attempt, AttemptError},
    build::until_called_off,
    deploy, hooks,
    load::{LoadError, Loaded},
    reset,
    stop::drain,
};
use crate::{deployment, log_store::Pipe};

/// How often to look whether there is an app to follow.
const FOLLOW_SOON: Duration = Duration::from_millis(10);

/// Starts the app, waits until it is healthy, and makes it the one that answers.
pub(super) async fn carry_out(attempt: &Attempt, loaded: Loaded) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let id = loaded.deployment.id;
    let environment = loaded.environment.id;
    // Its lines are stored; a server that was killed may not have come to this.
    control.engine().forget_build(loaded.deployment.build_id).await?;
    if loaded.environment.state == EnvironmentState::Resetting {
        return reset::carry_out(attempt, &loaded.environment).await;
    }
    let mut request = match loaded.app_request(control).await {
        Ok(request) => request,
        Err(LoadError::Service(
            err @ (ServiceError::Missing { .. } | ServiceError::Refused(_)),
        )) => {
            return deploy::fail(attempt, id, BuildResult::Built, &err.to_string()).await;
        }
        Err(err) => return Err(err.into()),
    };
    if hooks::carry_out(attempt, &loaded, &request).await? == hooks::Outcome::Over {
        // The state says what to do next.
        return Ok(());
    }
    request.first_line = control.stored_lines(Pipe::of_app(environment, id)).await?;
    let starting = async {
        let mut start = std::pin::pin!(control.engine().start(&request));
        loop {
            tokio::select! {
                started = &mut start => return started,
                // Once it is there: its first lines are worth most when it does not start.
                () = tokio::time::sleep(FOLLOW_SOON) => control.follow_app(environment, id),
            }
        }
    };
    let started = tokio::select! {
        started = starting => Some(started),
        () = until_called_off(attempt, id) => None,
    };
    match started {
        Some(Ok(_)) => go_live(attempt, id).await,
        Some(Err(EngineError::Refused(reason))) => {
            deploy::fail(attempt, id, BuildResult::Built, &reason).await
        }
        Some(Err(err)) => Err(err.into()),
        // The state says what to do next: to clean up.
        None => Ok(()),
    }
}

/// Makes the app the one that answers: requests go to it, it is live, the old one is superseded.
async fn go_live(attempt: &Attempt, id: DeploymentId) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let Some(environment) = attempt.job.lane else { return Err(AttemptError::Lost) };
    let coming = control.inner.routes.switch(environment, id).await?;
    let is_live = write_live(attempt, id).await?;
    drop(coming);
    if !is_live {
        // It was called off at the last moment: back to what answered before.
        control.inner.routes.refresh().await?;
    }
    Ok(())
}

/// Writes it down, unless the deployment was called off.
async fn write_live(attempt: &Attempt, id: DeploymentId) -> Result<bool, AttemptError> {
    let control = &attempt.control;
    let now = control.fx().clock.now();
    let mut held = attempt.hold().await?;
    let deployment = deploy::find_for_update(attempt, &mut *held.uow, id).await?;
    if deployment.state != DeploymentState::Deploying {
        return Ok(false);
    }
    if let Some(old) = held.environment.live_deployment {
        let old = deploy::find_for_update(attempt, &mut *held.uow, old).await?;
        if matches!(old.state, DeploymentState::Live { .. }) {
            deployment::update(control, &mut *held.uow, &old.supersede(now)?).await?;
        }
    }
    let environment = held.environment.go_live(id, now)?;
    held.uow.environments().update(&environment).await?;
    let text = match &deployment.commit {
        Some(commit) => format!("{id} is live: commit {commit}"),
        None => format!("{id} is live"),
    };
    control.say(&mut *held.uow, LogId::App(environment.id), &text).await?;
    deployment::update(control, &mut *held.uow, &deployment.go_live(now)?).await?;
    held.uow.signal(Signal::Environment(environment.id));
    held.uow.commit().await?;
    tracing::info!(deployment.id = %id, environment.id = %environment.id, "deployment live");
    Ok(true)
}

/// Sends requests to the live app and ends the environment's other ones, once the requests that
/// they still answer are through.
pub(super) async fn settle(attempt: &Attempt, id: DeploymentId) -> Result<(), AttemptError> {
    let control = &attempt.control;
    control.inner.routes.refresh().await?;
    hooks::forget(control, id).await;
    let Some(environment) = attempt.job.lane else { return Ok(()) };
    for old in others(attempt, environment, id).await? {
        drain(attempt, &old).await;
        control.engine().stop(old.deployment, control.settings().stop_grace).await?;
    }
    Ok(())
}

async fn others(
    attempt: &Attempt,
    environment: EnvironmentId,
    live: DeploymentId,
) -> Result<Vec<ObservedApp>, AttemptError> {
    let observed = attempt.control.engine().observe().await?;
    let is_other = |app: &ObservedApp| app.environment == environment && app.deployment != live;
    Ok(observed.into_iter().filter(is_other).collect())
}
