//! Builds: lets the engine build, stores the lines, ends the build exactly once.

use std::{fmt::Write as _, pin::Pin};

use tokio::sync::mpsc;
use windlass_domain::{
    Build, BuildEnd, BuildId, BuildResult, BuildState, Deployment, DeploymentId, DeploymentState,
    LogId, NewBuild, Usage, UsageEvent,
};
use windlass_engine::{BuildReport, BuildRequest, EngineError};
use windlass_storage::{Signal, UnitOfWork};

use super::{
    attempt::{Attempt, AttemptError, Held},
    deploy,
    load::{self, Loaded},
};
use crate::{Causes, Control, deployment, log_store::Pipe, quota, telemetry, watch::Watch};

/// Lines that may wait between the engine and the database.
pub(super) const IN_FLIGHT: usize = 2_000;

/// Runs the build of a deployment to its end, or joins it, and writes down how it ended.
pub(super) async fn carry_out(attempt: &Attempt, loaded: Loaded) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let (id, build) = (loaded.deployment.id, loaded.deployment.build_id);
    let access = control.source_access(&loaded.project).await?;
    let request = loaded.build_request(control, build, access.credential).await?;
    let report = match run(attempt, id, &request).await {
        Ok(report) => report,
        Err(AttemptError::Engine(EngineError::Refused(message))) => BuildReport {
            result: BuildResult::ClientError,
            message,
            usage: Usage::default(),
            lines: 0,
        },
        Err(err) => return Err(err),
    };
    finish(attempt, id, build, &report).await?;
    if let Err(err) = control.engine().forget_build(build).await {
        tracing::warn!(error = %Causes(&err), "cannot tidy up after a build");
    }
    Ok(())
}

/// Lets the engine build, while lines are stored, and ends that when it is called off or the time
/// for builds is used up.
async fn run(
    attempt: &Attempt,
    deployment: DeploymentId,
    request: &BuildRequest,
) -> Result<BuildReport, AttemptError> {
    let control = &attempt.control;
    let pipe = Pipe::of_build(request.build);
    let from = control.stored_lines(pipe).await?;
    let (sender, lines) = mpsc::channel(IN_FLIGHT);
    let build_and_store = async {
        let (report, stored) = tokio::join!(
            control.engine().build(request, from, sender),
            control.store_lines(pipe, lines),
        );
        stored?;
        Ok::<BuildReport, AttemptError>(report?)
    };
    tokio::pin!(build_and_store);
    let cancelled = until_called_off(attempt, deployment);
    let used_up = quota::until_build_time_is_up(control, attempt.job.organization_id);
    let reason = tokio::select! {
        report = &mut build_and_store => return report,
        () = cancelled => None,
        reason = used_up => Some(reason),
    };
    let cancel = || control.engine().cancel_build(request.build);
    let report = end_by_asking(control, build_and_store, cancel).await?;
    Ok(because(report, reason))
}

/// Asks what runs in the engine to end, until it has. It goes on being polled meanwhile: the
/// engine may be in the middle of beginning it. It is asked again now and then: it may only just
/// have begun when it was called off.
pub(super) async fn end_by_asking<T, R, A>(
    control: &Control,
    mut running: Pin<&mut R>,
    ask: impl Fn() -> A + Send + Sync,
) -> Result<T, AttemptError>
where
    R: Future<Output = Result<T, AttemptError>> + Send,
    A: Future<Output = Result<(), EngineError>> + Send,
{
    loop {
        let asking = async {
            ask().await?;
            tokio::time::sleep(control.settings().poll).await;
            Ok::<_, AttemptError>(())
        };
        tokio::select! {
            ended = &mut running => return ended,
            asked = asking => asked?,
        }
    }
}

/// A build that we have ended says why.
fn because(report: BuildReport, reason: Option<String>) -> BuildReport {
    match reason {
        Some(message) if report.result == BuildResult::Cancelled => {
            BuildReport { message, ..report }
        }
        Some(_) | None => report,
    }
}

/// Returns when the deployment is no longer on its way.
pub(super) async fn until_called_off(attempt: &Attempt, id: DeploymentId) {
    let control = &attempt.control;
    let mut watch = Watch::new(control, Signal::Deployment(id));
    loop {
        if let Ok(mut uow) = control.store().read().await
            && let Ok(found) = load::find(&mut *uow, attempt.job.organization_id, id).await
            && found.state.is_settled()
        {
            return;
        }
        watch.changed().await;
    }
}

/// Ends the build: its result, its usage and what follows commit together.
async fn finish(
    attempt: &Attempt,
    id: DeploymentId,
    build: BuildId,
    report: &BuildReport,
) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let organization = attempt.job.organization_id;
    let mut held = attempt.hold().await?;
    let deployment = deploy::find_for_update(attempt, &mut *held.uow, id).await?;
    let found = held.uow.builds().find_for_update(organization, build).await?;
    let found = found.ok_or(AttemptError::Lost)?;
    if matches!(found.state, BuildState::Ended(_)) {
        return Ok(());
    }
    let BuildReport { result, message, usage, lines: _ } = report;
    let ended = end(control, &mut *held.uow, found, *result, message, *usage).await?;
    if deployment.state == DeploymentState::Building {
        match result {
            BuildResult::Built => {
                let deployment = deployment.start_deploying(control.fx().clock.now())?;
                deployment::update(control, &mut *held.uow, &deployment).await?;
            }
            BuildResult::InternalError if may_restart(control, &mut *held.uow, &ended).await? => {
                restart(control, &mut held, deployment, &ended).await?;
            }
            BuildResult::BuildFailed
            | BuildResult::Cancelled
            | BuildResult::Timeout
            | BuildResult::MaxMemoryExceeded
            | BuildResult::ClientError
            | BuildResult::InternalError => {
                let Held { ref mut uow, environment, .. } = held;
                deploy::fail_deployment(attempt, &mut **uow, environment, deployment, message)
                    .await?;
                held.uow.commit().await?;
                return Ok(());
            }
        }
    }
    held.uow.commit().await?;
    Ok(())
}

/// Ends a build of which the engine has nothing to report, if it has not ended.
pub(super) async fn end_without_report(
    attempt: &Attempt,
    uow: &mut dyn UnitOfWork,
    id: BuildId,
    result: BuildResult,
    message: &str,
) -> Result<(), AttemptError> {
    let found = uow.builds().find_for_update(attempt.job.organization_id, id).await?;
    match found {
        Some(build) if !matches!(build.state, BuildState::Ended(_)) => {
            end(&attempt.control, uow, build, result, message, Usage::default()).await?;
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

async fn end(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    build: Build,
    result: BuildResult,
    message: &str,
    usage: Usage,
) -> Result<Build, AttemptError> {
    let build = build.end(result, message, usage, control.fx().clock.now())?;
    uow.builds().update(&build).await?;
    let log = LogId::Build(build.id);
    if let BuildState::Ended(end) = &build.state {
        if end.started_at.is_some() {
            uow.usage().insert(&UsageEvent::of_build(&build, end, control.fx())).await?;
        }
        control.say(uow, log, &last_line(end)).await?;
        let counted = build.clone();
        uow.after_commit(Box::new(move || telemetry::build_ended(&counted)));
        tracing::info!(build.id = %build.id, result = result.name(), "build ended");
    }
    uow.logs().end(log).await?;
    uow.signal(Signal::Log(log));
    Ok(build)
}

/// The last line of a build's log: what came of it and what it cost.
fn last_line(end: &BuildEnd) -> String {
    let mut line = match end.result {
        BuildResult::Built => "Build succeeded".to_owned(),
        BuildResult::Cancelled => format!("Build cancelled: {}", end.message),
        BuildResult::BuildFailed
        | BuildResult::Timeout
        | BuildResult::MaxMemoryExceeded
        | BuildResult::ClientError
        | BuildResult::InternalError => format!("Build failed: {}", end.message),
    };
    if end.started_at.is_some() {
        let Usage { cpu_micros, peak_memory_bytes, wall_millis } = end.usage;
        let (cpu, wall) = (cpu_micros / 10_000, wall_millis / 10);
        // Writing to a string cannot fail.
        let _ = write!(
            line,
            " ({}.{:02} s, {}.{:02} CPU seconds, {} MiB at most)",
            wall / 100,
            wall % 100,
            cpu / 100,
            cpu % 100,
            peak_memory_bytes >> 20,
        );
    }
    line
}

/// Whether a build that was lost through a fault of ours may be repeated once more.
async fn may_restart(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    lost: &Build,
) -> Result<bool, AttemptError> {
    let mut earlier = lost.restart_of;
    for _ in 0..control.settings().build_restarts {
        let Some(id) = earlier else { return Ok(true) };
        let build = uow.builds().find(lost.organization_id, id).await?;
        earlier = build.and_then(|build| build.restart_of);
    }
    Ok(false)
}

/// Puts another build into the place of one that was lost.
async fn restart(
    control: &Control,
    held: &mut Held,
    deployment: Deployment,
    lost: &Build,
) -> Result<(), AttemptError> {
    let Some(commit) = deployment.commit.clone() else { return Err(AttemptError::Lost) };
    let now = control.fx().clock.now();
    let uow = &mut *held.uow;
    let build = Build::request(
        NewBuild {
            organization_id: lost.organization_id,
            project_id: lost.project_id,
            environment_id: lost.environment_id,
            number: uow.organizations().next_build_number(lost.organization_id).await?,
            restart_of: Some(lost.id),
        },
        control.fx(),
    );
    let text = format!("Building commit {commit} again, in place of {}", lost.id);
    uow.builds().insert(&build.clone().start(commit, now)?).await?;
    let organization = lost.organization_id;
    let manifest = uow.builds().find_manifest(organization, lost.id).await?;
    if let Some(manifest) = manifest {
        uow.builds().insert_manifest(organization, build.id, &manifest).await?;
    }
    control.say(uow, LogId::Build(build.id), &text).await?;
    deployment::update(control, uow, &deployment.restart_building(build.id, now)?).await?;
    Ok(())
}
