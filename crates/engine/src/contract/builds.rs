//! What an engine promises about builds.
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic")]

use std::time::Duration;

use tokio::{sync::mpsc, time::timeout};
use windlass_domain::{BuildResult, LogStream};

use super::{
    AppPlan, BuildPlan, Harness, README,
    support::{
        app_request, build, build_request, built, check_lines, collect, patiently, prepared,
    },
};
use crate::{BuildRequest, EngineError, EngineLine, SourceAt, SourceFile};

/// [`Engine::resolve`](crate::Engine::resolve) gives the branch's commit, and refuses a branch
/// that is not there.
pub async fn a_branch_is_resolved(harness: &dyn Harness) {
    let prepared = prepared(harness, BuildPlan::Succeeds).await;
    let commit = harness.engine().resolve(&prepared.source, &prepared.branch, None).await;
    assert_eq!(commit.expect("the branch is there"), prepared.commit);
    let absent = "no-such-branch".parse().expect("it is a valid name");
    let refusal = harness.engine().resolve(&prepared.source, &absent, None).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
}

/// [`Engine::read_first`](crate::Engine::read_first) gives the first file that is there, and
/// refuses one that is too large.
pub async fn a_file_of_a_commit_is_read(harness: &dyn Harness) {
    let prepared = prepared(harness, BuildPlan::Succeeds).await;
    let (source, branch) = (&prepared.source, &prepared.branch);
    let at = SourceAt { source, branch, commit: &prepared.commit, credential: None };
    let read = async |names: &[&str], most| harness.engine().read_first(at, names, most).await;
    assert_eq!(read(&["no-such-file"], 100).await.expect("the commit is there"), None);
    let bytes = README.as_bytes().to_vec();
    let found = read(&["no-such-file", "README"], bytes.len()).await.expect("it is there");
    assert_eq!(found, Some(SourceFile { name: "README".to_owned(), bytes }));
    let refusal = read(&["README"], README.len() - 1).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
}

/// A build's lines are complete and numbered when its report is there.
pub async fn a_build_ends_with_what_it_printed_and_used(harness: &dyn Harness) {
    let request = build_request(harness, BuildPlan::Succeeds).await;
    let (report, lines) = build(harness, &request, 0).await;
    check_lines(&lines, 0, &BuildPlan::LINES);
    assert_eq!((report.result, report.message.as_str()), (BuildResult::Built, ""));
    assert_eq!(report.lines, lines.len() as u64);
}

/// The report of a failed build has a message.
pub async fn a_build_that_fails_says_why(harness: &dyn Harness) {
    let request = build_request(harness, BuildPlan::Fails).await;
    let (report, lines) = build(harness, &request, 0).await;
    check_lines(&lines, 0, &BuildPlan::LINES);
    assert_eq!(report.result, BuildResult::BuildFailed);
    assert!(!report.message.is_empty());
}

/// A build is run once: everybody who asks for it gets the same lines and the same report.
pub async fn building_again_joins(harness: &dyn Harness) {
    let request = build_request(harness, BuildPlan::Succeeds).await;
    let (first, second) = tokio::join!(build(harness, &request, 0), build(harness, &request, 0));
    assert_eq!(first, second);
    assert_eq!(build(harness, &request, 0).await, first, "after its end, too");
}

/// A reader gets the lines from the number it asks for, and none twice.
pub async fn a_reader_goes_on_from_any_line(harness: &dyn Harness) {
    let request = build_request(harness, BuildPlan::Succeeds).await;
    let (report, all) = build(harness, &request, 0).await;
    for from in 0..=report.lines {
        let (again, lines) = build(harness, &request, from).await;
        assert_eq!(again, report);
        assert!(all.iter().skip_while(|line| line.number < from).eq(&lines), "{from}: {lines:?}");
    }
}

/// Dropping the future leaves the build running.
pub async fn a_build_goes_on_when_nobody_waits(harness: &dyn Harness) {
    let request = hanging(harness).await;
    let engine = harness.engine();
    let (sender, mut receiver) = mpsc::channel(64);
    let joined = engine.build(&request, 0, sender);
    tokio::pin!(joined);
    tokio::select! {
        report = &mut joined => panic!("the build ended when its reader left: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    let ended = timeout(Duration::from_millis(200), &mut joined).await;
    assert!(ended.is_err(), "the build does not run any more: {ended:?}");
    engine.cancel_build(request.build).await.expect("builds can be cancelled");
    patiently(joined).await.expect("the build was there");
}

/// Whoever waits gets the report of a cancelled build, and so does whoever comes later.
pub async fn a_cancelled_build_reports_that(harness: &dyn Harness) {
    let request = hanging(harness).await;
    for _ in 0..2 {
        harness.engine().cancel_build(request.build).await.expect("builds can be cancelled");
    }
    let (report, lines) = build(harness, &request, 0).await;
    assert_eq!(report.result, BuildResult::Cancelled);
    assert!(!report.message.is_empty());
    assert_eq!(report.lines, lines.len() as u64);
    check_lines(&lines, 0, &BuildPlan::LINES);
}

/// [`Engine::cancel_build`](crate::Engine::cancel_build) only ends what runs.
pub async fn cancelling_what_has_ended_or_never_began_changes_nothing(harness: &dyn Harness) {
    let request = build_request(harness, BuildPlan::Succeeds).await;
    for _ in 0..2 {
        harness.engine().cancel_build(request.build).await.expect("it is no error");
        assert_eq!(build(harness, &request, 0).await.0.result, BuildResult::Built);
    }
}

/// [`Engine::forget_build`](crate::Engine::forget_build) ends a build that runs, and may come
/// again.
pub async fn forgetting_ends_what_runs(harness: &dyn Harness) {
    let request = hanging(harness).await;
    let (sender, mut receiver) = mpsc::channel(64);
    let joined = harness.engine().build(&request, 0, sender);
    tokio::pin!(joined);
    tokio::select! {
        report = &mut joined => panic!("the build ended when its reader left: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    for _ in 0..2 {
        harness.engine().forget_build(request.build).await.expect("builds can be forgotten");
    }
    let (report, _) = patiently(async { tokio::join!(joined, collect(receiver)) }).await;
    assert_eq!(report.expect("it was joined").result, BuildResult::Cancelled);
}

/// What was built stays when the build is forgotten.
pub async fn a_forgotten_build_can_still_be_run(harness: &dyn Harness) {
    let request = built(harness, AppPlan::Answers).await;
    harness.engine().forget_build(request.build).await.expect("builds can be forgotten");
    let app = app_request(&request);
    patiently(harness.engine().start(&app)).await.expect("what was built is there");
    stop(harness, &app).await;
}

/// [`Engine::remove_builds`](crate::Engine::remove_builds) removes what some builds made.
pub async fn removing_some_builds_keeps_the_others(harness: &dyn Harness) {
    let kept = built(harness, AppPlan::Answers).await;
    let removed = built(harness, AppPlan::Answers).await;
    let known = harness.engine().kept_builds().await.expect("builds can be listed");
    assert!(known.contains(&kept.build) && known.contains(&removed.build), "{known:?}");
    for _ in 0..2 {
        harness.engine().remove_builds(&[removed.build]).await.expect("builds can be removed");
    }
    let known = harness.engine().kept_builds().await.expect("builds can be listed");
    assert!(known.contains(&kept.build) && !known.contains(&removed.build), "{known:?}");
    let app = app_request(&kept);
    patiently(harness.engine().start(&app)).await.expect("what was kept is there");
    stop(harness, &app).await;
    let refusal = patiently(harness.engine().start(&app_request(&removed))).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
}

/// [`Engine::remove_builds`](crate::Engine::remove_builds) does not touch builds that run.
pub async fn removing_builds_leaves_running_ones_alone(harness: &dyn Harness) {
    let request = hanging(harness).await;
    harness.engine().remove_builds(&[request.build]).await.expect("builds can be removed");
    let (sender, mut receiver) = mpsc::channel(64);
    tokio::select! {
        report = harness.engine().build(&request, 0, sender) => panic!("it ended: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    harness.engine().cancel_build(request.build).await.expect("builds can be cancelled");
    assert_eq!(build(harness, &request, 0).await.0.result, BuildResult::Cancelled);
}

/// A build that has printed all its lines, runs, and has nobody waiting for it.
async fn hanging(harness: &dyn Harness) -> BuildRequest {
    let request = build_request(harness, BuildPlan::Hangs).await;
    let (sender, mut receiver) = mpsc::channel(64);
    tokio::select! {
        report = harness.engine().build(&request, 0, sender) => panic!("it ended: {report:?}"),
        () = patiently(until_last_line(&mut receiver)) => {}
    }
    request
}

async fn until_last_line(receiver: &mut mpsc::Receiver<EngineLine>) {
    let is_last = |line: &EngineLine| {
        line.stream == LogStream::Stdout
            && BuildPlan::LINES.last().is_some_and(|last| line.text.as_str() == *last)
    };
    while let Some(line) = receiver.recv().await {
        if is_last(&line) {
            return;
        }
    }
    // The end of the build tells more.
    std::future::pending::<()>().await;
}

async fn stop(harness: &dyn Harness, app: &crate::AppRequest) {
    let stopped = harness.engine().stop(app.deployment, Duration::from_secs(1));
    patiently(stopped).await.expect("apps can be stopped");
}
