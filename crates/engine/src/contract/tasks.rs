//! What an engine promises about tasks.
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic")]

use std::time::Duration;

use secrecy::SecretString;
use tokio::{sync::mpsc, time::timeout};
use windlass_domain::{BuildId, Hook};

use super::{
    Harness, TaskPlan,
    support::{check_lines, collect, fx, patiently, run_task, task_request},
};
use crate::{EngineError, EngineLine, TaskId, TaskRequest, TaskResult, Variable};

/// A task's lines are complete, and numbered from where it was told to begin.
pub async fn a_task_ends_with_what_it_printed(harness: &dyn Harness) {
    let request = TaskRequest { first_line: 7, ..task_request(harness, TaskPlan::Succeeds).await };
    let (report, lines) = run_task(harness, &request, 0).await;
    check_lines(&lines, 7, &TaskPlan::LINES);
    assert_eq!((report.result, report.message.as_str()), (TaskResult::Succeeded, ""));
    assert_eq!(report.next_line, 7 + lines.len() as u64);
}

/// The report of a failed task tells its exit status.
pub async fn a_task_that_fails_says_why(harness: &dyn Harness) {
    let request = task_request(harness, TaskPlan::Fails).await;
    let (report, lines) = run_task(harness, &request, 0).await;
    check_lines(&lines, 0, &TaskPlan::LINES);
    assert_eq!(report.result, TaskResult::Failed);
    assert!(report.message.contains("exit status 3"), "{report:?}");
}

/// Nothing is run in what was never built.
pub async fn a_task_needs_its_build(harness: &dyn Harness) {
    let mut request = task_request(harness, TaskPlan::Succeeds).await;
    request.build = BuildId::generate(fx());
    let (sender, receiver) = mpsc::channel(64);
    let refusal = patiently(harness.engine().run_task(&request, 0, sender)).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
    assert_eq!(collect(receiver).await, []);
    assert_eq!(kept(harness).await, []);
}

/// A task is run in what was built, and gets its variables byte for byte.
pub async fn a_task_finds_what_was_built_and_the_variables(harness: &dyn Harness) {
    let mut request = task_request(harness, TaskPlan::Looks).await;
    let key = TaskPlan::KEY.parse().expect("it is a name");
    request.variables.push(Variable { key, value: SecretString::from(TaskPlan::VALUE) });
    let (report, lines) = run_task(harness, &request, 0).await;
    check_lines(&lines, 0, &TaskPlan::SEEN);
    assert_eq!(report.result, TaskResult::Succeeded, "{report:?}");
}

/// A task is run once: everybody who asks for it gets the same lines and the same report.
pub async fn running_a_task_again_joins(harness: &dyn Harness) {
    let request = task_request(harness, TaskPlan::Fails).await;
    let (first, second) =
        tokio::join!(run_task(harness, &request, 0), run_task(harness, &request, 0));
    assert_eq!(first, second);
    let (report, all) = first;
    for from in 0..=report.next_line {
        let (again, lines) = run_task(harness, &request, from).await;
        assert_eq!(again, report, "after its end, too");
        assert!(all.iter().skip_while(|line| line.number < from).eq(&lines), "{from}: {lines:?}");
    }
}

/// Dropping the future leaves the task running, and whoever comes later joins it.
pub async fn a_task_goes_on_when_nobody_waits(harness: &dyn Harness) {
    let request = hanging(harness).await;
    let (sender, mut receiver) = mpsc::channel(64);
    let joined = harness.engine().run_task(&request, 0, sender);
    tokio::pin!(joined);
    tokio::select! {
        report = &mut joined => panic!("the task ended when its reader left: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    let ended = timeout(Duration::from_millis(200), &mut joined).await;
    assert!(ended.is_err(), "the task does not run any more: {ended:?}");
    forget(harness, request.task).await;
    patiently(joined).await.expect("the task was there");
}

/// A task is ended when its time is over, and so is what it has started: nobody could print any
/// more.
pub async fn a_task_that_takes_too_long_is_ended(harness: &dyn Harness) {
    let wall = Duration::from_secs(1);
    let request = TaskRequest { wall, ..task_request(harness, TaskPlan::Hangs).await };
    let (report, _) = run_task(harness, &request, 0).await;
    assert_eq!(report.result, TaskResult::TimedOut, "{report:?}");
    assert!(report.message.contains("1 s"), "{report:?}");
}

/// Whoever waits gets the report of a cancelled task, and so does whoever comes later.
pub async fn a_cancelled_task_reports_that(harness: &dyn Harness) {
    let request = hanging(harness).await;
    for _ in 0..2 {
        harness.engine().cancel_task(request.task).await.expect("tasks can be cancelled");
    }
    let (report, lines) = run_task(harness, &request, 0).await;
    assert_eq!(report.result, TaskResult::Cancelled);
    assert!(!report.message.is_empty());
    check_lines(&lines, 0, &TaskPlan::LINES);
    assert_eq!(run_task(harness, &request, 0).await, (report, lines));
}

/// [`Engine::cancel_task`](crate::Engine::cancel_task) only ends what runs.
pub async fn cancelling_a_task_that_does_not_run_changes_nothing(harness: &dyn Harness) {
    let request = task_request(harness, TaskPlan::Succeeds).await;
    for _ in 0..2 {
        harness.engine().cancel_task(request.task).await.expect("it is no error");
        assert_eq!(run_task(harness, &request, 0).await.0.result, TaskResult::Succeeded);
    }
}

/// [`Engine::forget_task`](crate::Engine::forget_task) ends a task that runs, and may come again.
pub async fn forgetting_a_task_ends_it(harness: &dyn Harness) {
    let request = hanging(harness).await;
    let (sender, mut receiver) = mpsc::channel(64);
    let joined = harness.engine().run_task(&request, 0, sender);
    tokio::pin!(joined);
    tokio::select! {
        report = &mut joined => panic!("the task ended when its reader left: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    for _ in 0..2 {
        forget(harness, request.task).await;
    }
    let (report, _) = patiently(async { tokio::join!(joined, collect(receiver)) }).await;
    assert_eq!(report.expect("it was joined").result, TaskResult::Cancelled);
}

/// [`Engine::kept_tasks`](crate::Engine::kept_tasks) names a task, whether it runs or has ended,
/// until it is forgotten.
pub async fn a_forgotten_task_leaves_nothing(harness: &dyn Harness) {
    let hanging = hanging(harness).await;
    let ended = task_request(harness, TaskPlan::Succeeds).await;
    run_task(harness, &ended, 0).await;
    let mut expected = vec![hanging.task, ended.task];
    expected.sort_unstable();
    assert_eq!(kept(harness).await, expected);
    for task in expected {
        forget(harness, task).await;
        assert!(!kept(harness).await.contains(&task));
    }
    let TaskId { deployment, .. } = ended.task;
    forget(harness, TaskId { deployment, hook: Hook::OnNew }).await;
}

/// [`Engine::remove_builds`](crate::Engine::remove_builds) does not touch what a task runs in.
pub async fn what_a_task_runs_in_is_not_removed(harness: &dyn Harness) {
    let engine = harness.engine();
    let request = hanging(harness).await;
    for is_kept in [true, false] {
        engine.remove_builds(&[request.build]).await.expect("builds can be removed");
        let builds = engine.kept_builds().await.expect("builds can be listed");
        assert_eq!(builds.contains(&request.build), is_kept);
        forget(harness, request.task).await;
    }
}

/// A task that has printed all its lines, runs, and has nobody waiting for it.
async fn hanging(harness: &dyn Harness) -> TaskRequest {
    let request = task_request(harness, TaskPlan::Hangs).await;
    let (sender, mut receiver) = mpsc::channel(64);
    tokio::select! {
        report = harness.engine().run_task(&request, 0, sender) => panic!("it ended: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    request
}

async fn until_last_line(receiver: &mut mpsc::Receiver<EngineLine>) {
    while let Some(line) = receiver.recv().await {
        if TaskPlan::LINES.last() == Some(&line.text.as_str()) {
            return;
        }
    }
    // The end of the task tells more.
    std::future::pending::<()>().await;
}

async fn forget(harness: &dyn Harness, task: TaskId) {
    patiently(harness.engine().forget_task(task)).await.expect("tasks can be forgotten");
}

/// The tasks that the engine keeps, in order.
async fn kept(harness: &dyn Harness) -> Vec<TaskId> {
    let mut kept = harness.engine().kept_tasks().await.expect("tasks can be listed");
    kept.sort_unstable();
    kept
}
