//! The server is ended at any moment; so are supervisors.

use std::fs;

use windlass_domain::BuildResult;
use windlass_engine::{AppState, Engine as _};

use crate::site::{
    GRACE, Site, app, assert_complete, assert_gone, build, build_well, collect, get,
    processes_with, text, until,
};

/// Kills the supervisor of a build or a task, found by its argument.
pub(crate) fn kill_supervisor(id: &str) {
    let command = |pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_it = |pid: &i32| String::from_utf8_lossy(&command(pid)).contains("supervise\0");
    let found = processes_with(id);
    let supervisor = rustix::process::Pid::from_raw(*found.iter().find(|it| is_it(it)).unwrap());
    rustix::process::kill_process(supervisor.unwrap(), rustix::process::Signal::KILL).unwrap();
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
            while !text(&lines).contains("line 5") {
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
async fn a_build_whose_supervisor_is_killed_ends_with_all_it_started() {
    let (site, request) = Site::building("sleep 98763.1");
    let engine = site.engine().await;
    let kill = async {
        let sleeps = async || !processes_with("sleep\098763.1").is_empty();
        until("the build sleeps", sleeps).await;
        kill_supervisor(&request.build.to_string());
    };
    let (done, ()) = tokio::join!(build(&engine, &request), kill);
    let (report, lines) = done.unwrap();
    assert_eq!(report.result, BuildResult::InternalError);
    assert!(report.message.contains("interrupted"), "{report:?}");
    assert_complete(&report, &lines);
    assert_gone("sleep\098763.1");
}

#[tokio::test]
async fn an_app_outlives_the_server_and_is_adopted_with_its_log() {
    let (site, request) =
        Site::with_dockerfile("CMD echo one; echo two; exec httpd -f -p $PORT", &[]);
    let first = site.engine().await;
    build_well(&first, &request).await;
    let app = app(&request);
    let running = first.start(&app).await.unwrap();
    let (sender, mut received) = tokio::sync::mpsc::channel(1);
    tokio::select! {
        _ = first.follow(app.deployment, 0, sender) => panic!("it runs"),
        line = received.recv() => assert_eq!(line.unwrap().text.as_str(), "one"),
    }
    drop(first);

    let second = site.engine().await;
    let observed = second.observe().await.unwrap();
    assert_eq!(observed[0].deployment, app.deployment);
    assert_eq!(observed[0].state, AppState::Running(running.clone()));
    assert_eq!(second.start(&app).await.unwrap(), running);
    assert!(get(running.addresses[0], "/").await.starts_with("HTTP/1."));
    let (sender, rest) = collect();
    let (followed, stopped) = tokio::join!(second.follow(app.deployment, 1, sender), async {
        let (sender, mut received) = tokio::sync::mpsc::channel(8);
        tokio::select! {
            _ = second.follow(app.deployment, 1, sender) => panic!("it runs"),
            line = received.recv() => assert_eq!(line.unwrap().number, 1),
        }
        second.stop(app.deployment, GRACE).await
    });
    followed.unwrap();
    stopped.unwrap();
    let lines = rest.await.unwrap();
    assert_eq!(
        lines.iter().map(|line| (line.number, line.text.as_str())).collect::<Vec<_>>(),
        [(1, "two")]
    );
    site.assert_nothing_left().await;
}
