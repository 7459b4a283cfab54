//! Tasks: run once in what was built, whatever is ended meanwhile.

use std::{fs, time::Duration};

use windlass_engine::{BuildRequest, Engine as _, TaskResult};
use windlass_engine_local::LocalEngine;

use crate::{
    site::{
        Site, app, assert_gone, build_well, collect, get, processes_with, run, task, text, until,
    },
    survival::kill_supervisor,
};

/// A site where something was built.
async fn built() -> (Site, BuildRequest, LocalEngine) {
    let (site, request) = Site::building("true");
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    (site, request, engine)
}

#[tokio::test]
async fn a_task_outlives_the_server_and_no_line_is_lost_or_doubled() {
    let (site, request, first) = built().await;
    let command = "echo once >> runs; for i in $(seq 20); do echo line $i; sleep 0.03; done";
    let task = task(&request, command);
    let (sender, mut received) = tokio::sync::mpsc::channel(1);
    let mut lines = Vec::new();
    tokio::select! {
        _ = first.run_task(&task, 0, sender) => panic!("the task must outlive the server"),
        () = async {
            while lines.len() < 5 {
                lines.push(received.recv().await.unwrap());
            }
        } => {}
    }
    drop(first);

    let second = site.engine().await;
    assert_eq!(second.kept_tasks().await.unwrap(), [task.task]);
    let (sender, rest) = collect();
    let report = second.run_task(&task, lines.len() as u64, sender).await.unwrap();
    lines.extend(rest.await.unwrap());
    assert_eq!(report.result, TaskResult::Succeeded);
    let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, (0..report.next_line).collect::<Vec<_>>());
    assert_eq!(text(&lines).matches("\nline ").count(), 20);
    assert_eq!(run(&second, &task).await, (report, lines));
    let runs = fs::read_to_string(site.workspace(request.build).join("runs")).unwrap();
    assert_eq!(runs, "once\n");
}

#[tokio::test]
async fn a_task_whose_supervisor_is_killed_is_lost_and_not_run_again() {
    let (site, request, first) = built().await;
    let task = task(&request, "echo once >> runs; sleep 98764.1");
    let kill = async {
        until("it sleeps", || !processes_with("sleep\098764.1").is_empty()).await;
        kill_supervisor(&task.task.to_string()).await;
    };
    let (lost, ()) = tokio::join!(run(&first, &task), kill);
    assert_eq!(lost.0.result, TaskResult::Lost);
    assert!(lost.0.message.contains("interrupted"), "{lost:?}");
    assert_gone("sleep\098764.1");
    drop(first);

    let second = site.engine().await;
    assert_eq!(run(&second, &task).await, lost);
    let runs = fs::read_to_string(site.workspace(request.build).join("runs")).unwrap();
    assert_eq!(runs, "once\n");
}

#[tokio::test]
async fn after_a_restart_a_task_is_lost_and_what_it_left_is_ended() {
    let (site, request, first) = built().await;
    let task = task(&request, "sleep 98764.2");
    let (sender, _lines) = collect();
    tokio::select! {
        _ = first.run_task(&task, 0, sender) => panic!("too early"),
        () = until("it sleeps", || !processes_with("sleep\098764.2").is_empty()) => {}
    }
    drop(first);
    kill_supervisor(&task.task.to_string()).await;

    let second = site.engine().await;
    assert_gone("sleep\098764.2");
    assert_eq!(run(&second, &task).await.0.result, TaskResult::Lost);
}

#[tokio::test]
async fn a_grandchild_that_nobody_waits_for_is_ended_with_the_task() {
    let (_site, request, engine) = built().await;
    let command = "setsid sh -c 'sleep 98764.3 >&- 2>&- & sleep 98764.3' & echo left";
    let (report, lines) = run(&engine, &task(&request, command)).await;
    assert_eq!(report.result, TaskResult::Succeeded, "{report:?}");
    assert!(text(&lines).contains("left"));
    assert_gone("98764.3");
}

#[tokio::test]
async fn a_task_that_never_ends_is_ended_with_all_it_started() {
    let (_site, request, engine) = built().await;
    let mut task = task(&request, "sleep 98764.4 & sleep 98764.4");
    task.wall = Duration::from_secs(1);
    let (report, _) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::TimedOut);
    assert_eq!(report.message, "the task did not end within the 1 s it may take");
    assert_gone("98764.4");
}

#[tokio::test]
async fn a_task_that_eats_memory_is_ended() {
    let (_site, request, engine) = built().await;
    let mut task = task(&request, "python3 -c 'x = bytearray(1 << 30); print(len(x))'; exit 7");
    task.limits.memory_bytes = 100 * 1024 * 1024;
    let (report, _) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::OutOfMemory, "{report:?}");
    assert!(report.message.contains("the 100 MiB it may use"), "{report:?}");
}

#[tokio::test]
async fn the_app_finds_what_a_task_has_written() {
    let (site, request, engine) = built().await;
    run(&engine, &task(&request, "echo migrated > index.html; echo lost > /tmp/file")).await;
    let mut app = app(&request);
    app.start_command = Some("exec python3 -m http.server $PORT".parse().unwrap());
    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/").await.ends_with("migrated\n"));
    engine.stop(app.deployment, Duration::ZERO).await.unwrap();
    // Its own folder for temporary files is gone.
    let outputs = site.data().join("engine/outputs");
    assert_eq!(fs::read_dir(outputs).unwrap().count(), 1);
}

#[tokio::test]
async fn a_task_is_metered() {
    let (_site, request, engine) = built().await;
    let burn = "python3 -c 'import time\nwhile time.process_time() < 0.3: pass'";
    let (report, _) = run(&engine, &task(&request, burn)).await;
    assert_eq!(report.result, TaskResult::Succeeded, "{report:?}");
    assert!((250_000..2_000_000).contains(&report.usage.cpu_micros), "{report:?}");
    assert!(1_000_000 < report.usage.peak_memory_bytes, "{report:?}");
}
