//! Requests, and waiting with patience.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use windlass_domain::{
    BuildId, BuildResult, DeploymentId, Effects, EnvironmentId, Hook, LogStream, OsEntropy,
    ProjectId, SystemClock,
};

use super::{AppPlan, BuildPlan, Harness, Plan, Prepared, TaskPlan};
use crate::{
    AppLimits, AppRequest, BuildLimits, BuildReport, BuildRequest, EngineLine, ObservedApp, TaskId,
    TaskReport, TaskRequest,
};

/// Longer than anything may take; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long an app has to become healthy, or to end.
const START_TIMEOUT: Duration = Duration::from_secs(20);

const MIB: u64 = 1024 * 1024;

pub(super) fn fx() -> Effects<'static> {
    Effects { clock: &SystemClock, entropy: &OsEntropy }
}

pub(super) async fn patiently<F: Future>(what: F) -> F::Output {
    timeout(PATIENCE, what).await.expect("the engine takes too long")
}

/// Asks again and again until there is an answer.
pub(super) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "it never happened");
        sleep(Duration::from_millis(10)).await;
    }
}

pub(super) async fn build_request(harness: &dyn Harness, build: BuildPlan) -> BuildRequest {
    request_for(&prepared(harness, build).await)
}

/// A repository that is built as planned.
pub(super) async fn prepared(harness: &dyn Harness, build: BuildPlan) -> Prepared {
    harness.prepare(Plan { build, app: AppPlan::Answers, task: TaskPlan::Succeeds }).await
}

fn request_for(prepared: &Prepared) -> BuildRequest {
    BuildRequest {
        build: BuildId::generate(fx()),
        project: ProjectId::generate(fx()),
        source: prepared.source.clone(),
        branch: prepared.branch.clone(),
        commit: prepared.commit.clone(),
        credential: None,
        recipe: prepared.recipe.clone(),
        variables: Vec::new(),
        limits: BuildLimits {
            cpu_millis: 1_000,
            memory_bytes: 512 * MIB,
            wall: PATIENCE,
            processes: 64,
            disk_bytes: 256 * MIB,
            log_bytes: MIB,
        },
    }
}

/// The request for another deployment of something that was built.
pub(super) fn app_request(built: &BuildRequest) -> AppRequest {
    AppRequest {
        first_line: 0,
        deployment: DeploymentId::generate(fx()),
        environment: EnvironmentId::generate(fx()),
        build: built.build,
        start_command: built.recipe.start_command.clone(),
        variables: Vec::new(),
        port: None,
        health_path: None,
        start_timeout: START_TIMEOUT,
        limits: AppLimits {
            cpu_millis: 1_000,
            memory_bytes: 256 * MIB,
            processes: 64,
            log_bytes: MIB,
        },
    }
}

/// Builds something whose app does what is planned.
pub(super) async fn built(harness: &dyn Harness, app: AppPlan) -> BuildRequest {
    built_for(harness, Plan { build: BuildPlan::Succeeds, app, task: TaskPlan::Succeeds }).await
}

/// The request for a task that does what is planned, in something that was built.
pub(super) async fn task_request(harness: &dyn Harness, task: TaskPlan) -> TaskRequest {
    let plan = Plan { build: BuildPlan::Succeeds, app: AppPlan::Answers, task };
    let AppRequest { deployment, environment, build, limits, .. } =
        app_request(&built_for(harness, plan).await);
    TaskRequest {
        task: TaskId { deployment, hook: Hook::OnDeploy },
        environment,
        build,
        command: task.command(),
        variables: Vec::new(),
        limits,
        wall: PATIENCE,
        first_line: 0,
    }
}

async fn built_for(harness: &dyn Harness, plan: Plan) -> BuildRequest {
    let request = request_for(&harness.prepare(plan).await);
    let (report, lines) = build(harness, &request, 0).await;
    assert_eq!(report.result, BuildResult::Built, "{report:?} {lines:?}");
    request
}

/// Builds, or joins a build, and reads it from line `from` to its end.
pub(super) async fn build(
    harness: &dyn Harness,
    request: &BuildRequest,
    from: u64,
) -> (BuildReport, Vec<EngineLine>) {
    let (sender, receiver) = mpsc::channel(1);
    let build = harness.engine().build(request, from, sender);
    let (report, lines) = patiently(async { tokio::join!(build, collect(receiver)) }).await;
    (report.expect("the engine can build"), lines)
}

/// Runs a task, or joins it, and reads it from line `from` to its end.
pub(super) async fn run_task(
    harness: &dyn Harness,
    request: &TaskRequest,
    from: u64,
) -> (TaskReport, Vec<EngineLine>) {
    let (sender, receiver) = mpsc::channel(1);
    let run = harness.engine().run_task(request, from, sender);
    let (report, lines) = patiently(async { tokio::join!(run, collect(receiver)) }).await;
    (report.expect("the engine can run tasks"), lines)
}

pub(super) async fn collect(mut receiver: mpsc::Receiver<EngineLine>) -> Vec<EngineLine> {
    let mut lines = Vec::new();
    while let Some(line) = receiver.recv().await {
        lines.push(line);
    }
    lines
}

/// Checks that the lines are numbered from `from` on without gaps, in the order of time, and that
/// what was planned is among them.
pub(super) fn check_lines(lines: &[EngineLine], from: u64, planned: &[&str]) {
    let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
    let expected: Vec<u64> = (from..).take(lines.len()).collect();
    assert_eq!(numbers, expected, "{lines:?}");
    let times: Vec<DateTime<Utc>> = lines.iter().map(|line| line.time).collect();
    assert!(times.is_sorted(), "{lines:?}");
    let printed: Vec<&str> = lines
        .iter()
        .filter(|line| line.stream == LogStream::Stdout)
        .map(|line| line.text.as_str())
        .filter(|text| planned.contains(text))
        .collect();
    assert_eq!(printed, planned, "{lines:?}");
}

pub(super) async fn observed(
    harness: &dyn Harness,
    deployment: DeploymentId,
) -> Option<ObservedApp> {
    let apps = patiently(harness.engine().observe()).await.expect("the engine can observe");
    apps.into_iter().find(|app| app.deployment == deployment)
}
