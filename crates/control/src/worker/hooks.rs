//! Runs what a project wants run before an app is started.

use tokio::sync::mpsc;
use windlass_domain::{BuildResult, CommandLine, DeploymentId, DeploymentState, Hook, LogId};
use windlass_engine::{AppRequest, EngineError, TaskId, TaskReport, TaskRequest, TaskResult};

use super::{
    attempt::{Attempt, AttemptError},
    build::{IN_FLIGHT, end_by_asking, until_called_off},
    deploy,
    load::Loaded,
};
use crate::{Causes, Control, log_store::Pipe};

/// Whether the app may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All that was due has been run.
    Done,
    /// The deployment has ended, or was called off.
    Over,
}

/// Runs the hooks that are due, with what the app will be started with. One that was begun before
/// is joined: none runs twice for a deployment.
pub(super) async fn carry_out(
    attempt: &Attempt,
    loaded: &Loaded,
    app: &AppRequest,
) -> Result<Outcome, AttemptError> {
    let hooks = loaded.manifest.over(&loaded.project.settings).hooks;
    for hook in Hook::ALL {
        if hook == Hook::OnNew && loaded.environment.is_set_up {
            continue;
        }
        if let Some(command) = hooks.command(hook)
            && run(attempt, hook, command, app).await? == Outcome::Over
        {
            return Ok(Outcome::Over);
        }
        // At once: it is not run again, whatever becomes of the other one and of the app.
        if hook == Hook::OnNew && set_up(attempt, loaded.deployment.id).await? == Outcome::Over {
            return Ok(Outcome::Over);
        }
    }
    Ok(Outcome::Done)
}

async fn run(
    attempt: &Attempt,
    hook: Hook,
    command: &CommandLine,
    app: &AppRequest,
) -> Result<Outcome, AttemptError> {
    let control = &attempt.control;
    let deployment = app.deployment;
    let task = TaskId { deployment, hook };
    say_begin(attempt, task).await?;
    let pipe = Pipe::of_app(app.environment, deployment);
    let from = control.stored_lines(pipe).await?;
    let request = TaskRequest {
        task,
        environment: app.environment,
        build: app.build,
        command: command.clone(),
        variables: app.variables.clone(),
        limits: app.limits,
        wall: control.settings().build_limits.wall,
        // Its lines are in the app's log, before those of the app.
        first_line: from,
    };
    let (sender, lines) = mpsc::channel(IN_FLIGHT);
    let run_and_store = async {
        let (report, stored) = tokio::join!(
            control.engine().run_task(&request, from, sender),
            control.store_lines(pipe, lines),
        );
        stored?;
        Ok::<_, AttemptError>(report?)
    };
    tokio::pin!(run_and_store);
    let ended = tokio::select! {
        ended = &mut run_and_store => ended,
        () = until_called_off(attempt, deployment) => {
            let cancel = || control.engine().cancel_task(task);
            end_by_asking(control, run_and_store, cancel).await
        }
    };
    let reason = match ended {
        Ok(TaskReport { result: TaskResult::Succeeded, .. }) => return Ok(Outcome::Done),
        Ok(TaskReport { result: TaskResult::Cancelled, .. }) => return Ok(Outcome::Over),
        Ok(TaskReport { message, .. })
        | Err(AttemptError::Engine(EngineError::Refused(message))) => message,
        Err(err) => return Err(err),
    };
    let reason = format!("{hook} failed: {reason} (the app's log has its lines)");
    deploy::fail(attempt, deployment, BuildResult::Built, &reason).await?;
    Ok(Outcome::Over)
}

/// Says that a task begins, unless it is joined.
async fn say_begin(attempt: &Attempt, task: TaskId) -> Result<(), AttemptError> {
    let control = &attempt.control;
    if control.engine().kept_tasks().await?.contains(&task) {
        return Ok(());
    }
    let mut held = attempt.hold().await?;
    let log = LogId::App(held.environment.id);
    control.say(&mut *held.uow, log, &format!("Running {}", task.hook)).await?;
    held.uow.commit().await?;
    Ok(())
}

/// Writes down that what is run once in a new environment has been run.
async fn set_up(attempt: &Attempt, id: DeploymentId) -> Result<Outcome, AttemptError> {
    let control = &attempt.control;
    let mut held = attempt.hold().await?;
    let deployment = deploy::find_for_update(attempt, &mut *held.uow, id).await?;
    if deployment.state != DeploymentState::Deploying {
        return Ok(Outcome::Over);
    }
    let environment = held.environment.set_up(control.fx().clock.now())?;
    held.uow.environments().update(&environment).await?;
    held.uow.commit().await?;
    Ok(Outcome::Done)
}

/// Drops what was kept of a deployment's tasks, which will not be asked for again.
pub(super) async fn forget(control: &Control, deployment: DeploymentId) {
    for hook in Hook::ALL {
        let task = TaskId { deployment, hook };
        if let Err(err) = control.engine().forget_task(task).await {
            tracing::warn!(%task, error = %Causes(&err), "cannot tidy up after a task");
        }
    }
}
