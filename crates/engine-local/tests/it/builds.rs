//! How builds end, and what they print.

use windlass_domain::{BuildResult, LogStream};
use windlass_engine::{Engine as _, EngineError, EngineLine};
use windlass_engine_local::LocalEngine;

use crate::site::{
    LONG, Site, assert_complete, assert_gone, build, build_well, collect, processes_with, text,
    until,
};

#[tokio::test]
async fn a_build_prints_its_lines_live_and_succeeds() {
    let (site, request) = Site::building("echo out; echo err >&2; sleep 0.2; cat README");
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();

    assert_eq!((report.result, report.message.as_str()), (BuildResult::Built, ""));
    assert_complete(&report, &lines);
    let line = |text: &str| lines.iter().find(|line| line.text.as_str() == text).unwrap();
    assert_eq!(line("out").stream, LogStream::Stdout);
    assert_eq!(line("err").stream, LogStream::Stderr);
    assert_eq!(line("hello").stream, LogStream::Stdout);
    assert_eq!(lines.last().unwrap().stream, LogStream::System);
    assert!(lines[0].text.as_str().starts_with("Fetching "), "{:?}", lines[0]);
}

#[tokio::test]
async fn a_build_that_fails_says_how() {
    let (site, request) = Site::building("echo broken; exit 3");
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed);
    assert_eq!(report.message, "the build command failed: exit status 3");
    assert!(text(&lines).contains("broken"));
    assert_complete(&report, &lines);
}

#[tokio::test]
async fn a_commit_that_the_branch_has_left_behind_is_built_all_the_same() {
    let (site, mut request) = Site::building("cat README");
    let old = request.commit.clone();
    site.commit(&[("README", "newer")]);
    let engine = site.engine().await;
    let (_, lines) = build(&engine, &request).await.unwrap();
    assert!(text(&lines).contains("hello") && !text(&lines).contains("newer"));

    request = site.request(old);
    request.branch = "nope".parse().unwrap();
    request.commit = "0123456789012345678901234567890123456789".parse().unwrap();
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::ClientError);
    assert!(report.message.starts_with("branch `nope` does not exist in "), "{report:?}");
}

#[tokio::test]
async fn branches_are_resolved_and_what_is_not_there_is_refused() {
    let (site, request) = Site::building("true");
    let engine = site.engine().await;
    engine.check().await.unwrap();
    let tip = engine.resolve(&request.source, &request.branch, None).await.unwrap();
    assert_eq!(tip, request.commit);

    let error = engine.resolve(&request.source, &"nope".parse().unwrap(), None).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)), "{error}");
    let nobody = "http://127.0.0.1:1/x.git".parse().unwrap();
    let error = engine.resolve(&nobody, &request.branch, None).await.unwrap_err();
    assert!(matches!(error, EngineError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn repositories_of_this_machine_are_refused_unless_allowed() {
    let (site, request) = Site::building("true");
    let mut config = site.config();
    config.allow_local_git = false;
    let engine = LocalEngine::open(config).await.unwrap();
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::ClientError);
    let error = engine.resolve(&request.source, &request.branch, None).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_remote_that_is_away_can_be_tried_again_and_the_lines_go_on() {
    let (site, mut request) = Site::building("echo built");
    let engine = site.engine().await;
    let source = request.source;
    request.source = "http://127.0.0.1:1/x.git".parse().unwrap();
    let (sender, before) = collect();
    let error = engine.build(&request, 0, sender).await.unwrap_err();
    assert!(matches!(error, EngineError::Unavailable(_)), "{error}");
    let before = before.await.unwrap();

    request.source = source;
    let (sender, after) = collect();
    let report = engine.build(&request, before.len() as u64, sender).await.unwrap();
    assert_eq!(report.result, BuildResult::Built);
    let lines: Vec<_> = before.into_iter().chain(after.await.unwrap()).collect();
    assert_complete(&report, &lines);
}

#[tokio::test]
async fn a_repository_that_nobody_could_start_is_explained() {
    let site = Site::new();
    let request = site.request(site.commit(&[("Dockerfile", "FROM scratch")]));
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::ClientError);
    assert!(report.message.contains("Docker Swarm engine"), "{report:?}");
}

#[tokio::test]
async fn a_cancelled_build_ends_with_all_it_started() {
    let mark = "sleep 98765.1";
    let (site, request) = Site::building(&format!("{mark} & setsid {mark} & wait"));
    let engine = site.engine().await;
    let cancel = async {
        until("the build sleeps", || 2 <= processes_with("98765.1").len()).await;
        engine.cancel_build(request.build).await.unwrap();
    };
    let (done, ()) = tokio::join!(build(&engine, &request), cancel);
    let (report, lines) = done.unwrap();
    assert_eq!(report.result, BuildResult::Cancelled);
    assert_complete(&report, &lines);
    assert_gone("98765.1");

    engine.cancel_build(request.build).await.unwrap();
    assert_eq!(build(&engine, &request).await.unwrap().0, report);
}

#[tokio::test]
async fn what_a_build_leaves_running_is_ended_with_it() {
    let mark = "sleep 98765.2";
    let command = format!("setsid sh -c '{mark} & {mark}' >/dev/null 2>&1 & sleep 0.1");
    let (site, request) = Site::building(&command);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    assert_gone("98765.2");
}

#[tokio::test]
async fn two_who_ask_for_the_same_build_get_the_same_lines() {
    let (site, request) = Site::building("echo once >> count; cat count; sleep 0.3");
    let engine = site.engine().await;
    let (one, two) = tokio::join!(build(&engine, &request), build(&engine, &request));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one, two);
    assert_eq!(text(&one.1).matches("once").count(), 2, "{}", text(&one.1)); // command and line
}

#[tokio::test]
async fn a_forgotten_build_leaves_what_it_built_and_a_running_one_ends() {
    let (site, request) = Site::building("true");
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    engine.forget_build(request.build).await.unwrap();
    assert!(!site.build_folder(request.build).exists());
    let output = site.data().join("engine/outputs").join(request.build.to_string());
    assert!(output.join("output.json").exists());

    assert_eq!(engine.kept_builds().await.unwrap(), [request.build]);
    engine.remove_builds(&[request.build]).await.unwrap();
    assert!(!output.exists());

    let (site, request) = Site::building("sleep 98765.3");
    let engine = site.engine().await;
    let forget = async {
        until("the build sleeps", || !processes_with("sleep\098765.3").is_empty()).await;
        engine.forget_build(request.build).await.unwrap();
    };
    let (_, ()) = tokio::join!(build(&engine, &request), forget);
    assert_gone("sleep\098765.3");
}

#[tokio::test]
async fn lines_arrive_while_the_build_runs() {
    let (site, request) = Site::building("echo first; while [ ! -e go ]; do sleep 0.05; done");
    let engine = site.engine().await;
    let (sender, mut lines) = tokio::sync::mpsc::channel::<EngineLine>(16);
    let watch = async {
        while let Some(line) = tokio::time::timeout(LONG, lines.recv()).await.unwrap() {
            if line.text.as_str() == "first" {
                engine.cancel_build(request.build).await.unwrap();
            }
        }
    };
    let (report, ()) = tokio::join!(engine.build(&request, 0, sender), watch);
    assert_eq!(report.unwrap().result, BuildResult::Cancelled);
}
