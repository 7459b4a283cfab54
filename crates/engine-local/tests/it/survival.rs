//! The server is ended at any moment; so are supervisors.

use std::{fs, time::Duration};

use windlass_domain::BuildResult;
use windlass_engine::{AppState, Engine as _};

use crate::site::{
    GRACE, LONG, Site, app, assert_complete, assert_gone, build, build_well, collect, get,
    processes_with, text, until,
};

/// The supervisor of a folder, found by its argument.
fn supervisor(id: &str) -> i32 {
    let found = processes_with(id);
    *found
        .iter()
        .find(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
            String::from_utf8_lossy(&line).contains("supervise\0")
        })
        .unwrap()
}

/// Kills the supervisor of a build or an app, and waits until it is gone.
pub(crate) async fn kill_supervisor(id: &str) {
    let number = supervisor(id);
    let pid = rustix::process::Pid::from_raw(number).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    until("it is gone", || !processes_with(id).contains(&number)).await;
}

#[tokio::test]
async fn a_build_outlives_the_server_and_no_line_is_lost_or_doubled() {
    let (site, request) =
        Site::building("for i in $(seq 40); do echo line $i; sleep 0.05; done; sleep 0.3");
    let first = site.engine().await;
    let (sender, mut received) = tokio::sync::mpsc::channel(1);
    let mut lines = Vec::new();
    tokio::select! {
        _ = first.build(&request, 0, sender) => panic!("the build must outlive the server"),
        () = async {
            while lines.len() < 10 {
                lines.push(received.recv().await.unwrap());
            }
        } => {}
    }
    drop(first);

    let second = site.engine().await;
    let (sender, rest) = collect();
    let report = second.build(&request, lines.len() as u64, sender).await.unwrap();
    lines.extend(rest.await.unwrap());
    assert_eq!(report.result, BuildResult::Built);
    assert_complete(&report, &lines);
    assert_eq!(text(&lines).matches("\nline ").count(), 40);
    assert_eq!(build(&second, &request).await.unwrap().0, report);
}

#[tokio::test]
async fn a_build_that_ended_while_no_server_ran_is_reported_after_the_restart() {
    let (site, request) = Site::building("sleep 0.5; echo done");
    let first = site.engine().await;
    let (sender, _lines) = collect();
    tokio::select! {
        _ = first.build(&request, 0, sender) => panic!("too early"),
        () = until("the build has begun", || site.build_folder(request.build).join("state.json").exists()) => {}
    }
    drop(first);
    until("it has ended", || site.build_folder(request.build).join("report.json").exists()).await;

    let second = site.engine().await;
    let (report, lines) = build(&second, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built);
    assert_complete(&report, &lines);
}

#[tokio::test]
async fn a_build_whose_supervisor_is_killed_ends_with_what_was_last_measured() {
    let burn = "python3 -c 'import time\nend = time.time() + 60\nwhile time.time() < end: pass' \
                98765.7";
    let (site, request) = Site::building(burn);
    let engine = site.engine().await;
    let state = site.build_folder(request.build).join("state.json");
    let kill = async {
        until("some time is measured", || {
            let text = fs::read_to_string(&state).unwrap_or_default();
            !text.is_empty()
                && !text.contains("\"cpu_micros\":0")
                && !processes_with("98765.7").is_empty()
        })
        .await;
        kill_supervisor(&request.build.to_string()).await;
    };
    let (done, ()) = tokio::join!(build(&engine, &request), kill);
    let (report, lines) = done.unwrap();
    assert_eq!(report.result, BuildResult::InternalError);
    assert!(0 < report.usage.cpu_micros, "{report:?}");
    assert_complete(&report, &lines);
    assert_gone("98765.7");
}

#[tokio::test]
async fn after_a_restart_the_dead_are_reported_and_what_they_left_is_ended() {
    let (site, request) = Site::building("sleep 98765.8");
    let first = site.engine().await;
    let (sender, _lines) = collect();
    tokio::select! {
        _ = first.build(&request, 0, sender) => panic!("too early"),
        () = until("it sleeps", || !processes_with("sleep\098765.8").is_empty()) => {}
    }
    drop(first);
    kill_supervisor(&request.build.to_string()).await;

    let second = site.engine().await;
    assert_gone("sleep\098765.8");
    let (report, _) = build(&second, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::InternalError);
    assert!(report.message.contains("interrupted"), "{report:?}");
}

#[tokio::test]
async fn an_app_outlives_the_server_and_is_adopted() {
    let site = Site::new();
    let request = site.request(site.commit(&[("index.html", "hi")]));
    let first = site.engine().await;
    build_well(&first, &request).await;
    let app = app(&request);
    let running = first.start(&app).await.unwrap();
    drop(first);
    assert!(get(running.addresses[0], "/").await.ends_with("hi"));

    let second = site.engine().await;
    let observed = second.observe().await.unwrap();
    assert_eq!(observed[0].deployment, app.deployment);
    assert_eq!(observed[0].state, AppState::Running(running.clone()));
    assert_eq!(second.start(&app).await.unwrap(), running);
    // What an app runs from stays.
    second.remove_builds(&[app.build]).await.unwrap();
    assert!(get(running.addresses[0], "/").await.ends_with("hi"));
    second.stop(app.deployment, GRACE).await.unwrap();
    assert!(tokio::net::TcpStream::connect(running.addresses[0]).await.is_err());
}

#[tokio::test]
async fn an_app_whose_supervisor_is_killed_is_gone_and_can_be_started_again() {
    let site = Site::new();
    let request = site.request(site.commit(&[("index.html", "hi")]));
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let app = app(&request);
    engine.start(&app).await.unwrap();
    let mut changes = engine.changes();
    kill_supervisor(&app.deployment.to_string()).await;
    // The first one may still tell of its start.
    while !engine.observe().await.unwrap().is_empty() {
        let told = tokio::time::timeout(LONG, changes.recv()).await.unwrap().unwrap();
        assert_eq!(told, app.deployment);
    }

    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/").await.ends_with("hi"));
    engine.stop(app.deployment, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn all_apps_can_be_stopped_at_once() {
    let site = Site::new();
    let request = site.request(site.commit(&[("index.html", "hi")]));
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let (one, two) = (app(&request), app(&request));
    let (first, second) = tokio::join!(engine.start(&one), engine.start(&two));
    assert_ne!(first.unwrap().addresses, second.unwrap().addresses);
    engine.stop_all(GRACE).await.unwrap();
    assert_eq!(engine.observe().await.unwrap(), []);
}
