//! Tasks: containers that run once, whatever is ended meanwhile.

use std::{fs, time::Duration};

use windlass_engine::{BuildRequest, Engine as _, EngineError, TaskResult};
use windlass_engine_swarm::SwarmEngine;

use crate::{
    site::{
        BASE_IMAGE, GRACE, Site, app, assert_gone, build_well, collect, docker, processes_with,
        run, task, text, until, variable,
    },
    survival::kill_supervisor,
};

/// A site where something was built.
async fn built() -> (Site, BuildRequest, SwarmEngine) {
    let site = Site::new();
    // Of its own from the first step on: what other tests remove is in Docker's cache as well.
    let dockerfile = format!(
        "FROM {BASE_IMAGE}\nENV SITE={}\nRUN mkdir /srv && echo built > /srv/file\n\
         WORKDIR /srv\nCMD exec httpd -f -p $PORT -h /srv",
        site.namespace()
    );
    let request = site.request(site.commit(&[("Dockerfile", &dockerfile)]));
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    (site, request, engine)
}

#[tokio::test]
async fn a_task_has_what_the_app_has_and_may_do_as_little() {
    let (site, request, engine) = built().await;
    let mut task = task(&request, "cat file; env; cat /proc/self/status; sleep 0.3");
    task.variables = vec![variable("KEY", "a 'b'\n$c")];
    let (report, lines) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::Succeeded, "{report:?}");
    let printed = text(&lines);
    assert!(printed.contains("\nbuilt\n"), "{printed}");
    assert!(printed.contains("KEY=a 'b'\n$c\n") && !printed.contains("PORT="), "{printed}");
    assert!(printed.contains(&format!("WINDLASS_COMMIT={}\n", request.commit)), "{printed}");
    assert!(printed.contains("CapBnd:\t00000000000004eb\n"), "{printed}");
    assert!(printed.contains("NoNewPrivs:\t1\n"), "{printed}");
    assert!(100_000 < report.usage.peak_memory_bytes, "{report:?}");

    let name = format!("{}-{}", site.namespace(), task.task);
    let format = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} \
                  {{.HostConfig.RestartPolicy.Name}}";
    let limits = docker(&["container", "inspect", "--format", format, &name]);
    assert_eq!(limits, "1000000000 67108864 50 no");
    engine.forget_task(task.task).await.unwrap();
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn a_task_sees_the_apps_of_its_environment_and_leaves_them_alone() {
    let (site, request, engine) = built().await;
    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    let name = format!("{}-{}", site.namespace(), app.deployment);
    let command = format!("wget -q -O - http://{name}:8080/file");
    let mut task = task(&request, &command);
    // Its own deployment's app is another thing than the task.
    (task.environment, task.task.deployment) = (app.environment, app.deployment);
    let (report, lines) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::Succeeded, "{}", text(&lines));
    assert!(text(&lines).contains("\nbuilt\n"), "{}", text(&lines));

    let mut stranger = crate::site::task(&request, &command);
    stranger.wall = Duration::from_secs(3);
    assert_ne!(run(&engine, &stranger).await.0.result, TaskResult::Succeeded);
    for task in [task.task, stranger.task] {
        engine.forget_task(task).await.unwrap();
    }
    assert_eq!(engine.start(&app).await.unwrap(), running);
    engine.stop(app.deployment, GRACE).await.unwrap();
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn a_task_outlives_the_server_and_no_line_is_lost_or_doubled() {
    let (site, request, first) = built().await;
    let task = task(&request, "for i in $(seq 20); do echo line $i; sleep 0.05; done");
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
}

#[tokio::test]
async fn a_task_whose_supervisor_is_killed_is_lost_and_ended() {
    let (_site, request, engine) = built().await;
    let task = task(&request, "sleep 98761.1");
    let kill = async {
        until("it sleeps", async || !processes_with("sleep\098761.1").is_empty()).await;
        kill_supervisor(&task.task.to_string());
    };
    let (lost, ()) = tokio::join!(run(&engine, &task), kill);
    assert_eq!(lost.0.result, TaskResult::Lost);
    assert!(lost.0.message.contains("interrupted"), "{lost:?}");
    assert_gone("sleep\098761.1");
    assert_eq!(run(&engine, &task).await, lost);
}

#[tokio::test]
async fn a_task_is_not_run_again_where_all_but_its_container_was_lost() {
    let (site, request, first) = built().await;
    let task = task(&request, "echo once");
    assert_eq!(run(&first, &task).await.0.result, TaskResult::Succeeded);
    drop(first);
    let folder = site.config().folder.join("tasks").join(task.task.to_string());
    fs::remove_dir_all(folder).unwrap();

    let second = site.engine().await;
    assert_eq!(second.kept_tasks().await.unwrap(), [task.task]);
    let (report, lines) = run(&second, &task).await;
    assert_eq!(report.result, TaskResult::Lost, "{}", text(&lines));
    assert!(!text(&lines).contains("\nonce"), "{}", text(&lines));
    second.forget_task(task.task).await.unwrap();
    assert_eq!(second.kept_tasks().await.unwrap(), []);
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn a_task_that_never_ends_is_ended_with_all_it_started() {
    let (_site, request, engine) = built().await;
    let mut task = task(&request, "setsid sleep 98761.2 & sleep 98761.2");
    task.wall = Duration::from_secs(2);
    let (report, _) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::TimedOut);
    assert_eq!(report.message, "the task did not end within the 2 s it may take");
    assert_gone("98761.2");
}

#[tokio::test]
async fn a_task_that_eats_memory_is_ended() {
    let (_site, request, engine) = built().await;
    let task = task(&request, "x=0123456789; while true; do x=$x$x; done");
    let (report, lines) = run(&engine, &task).await;
    assert_eq!(report.result, TaskResult::OutOfMemory, "{report:?}\n{}", text(&lines));
    assert!(report.message.contains("the 64 MiB it may use"), "{report:?}");
}

#[tokio::test]
async fn a_command_that_cannot_be_started_fails_and_is_told_why() {
    let (_site, request, engine) = built().await;
    let (report, _) = run(&engine, &task(&request, "no-such-command")).await;
    assert_eq!(report.result, TaskResult::Failed);
    assert!(report.message.contains("a command was not found"), "{report:?}");
}

#[tokio::test]
async fn a_network_on_which_no_container_can_be_is_told_so() {
    let (site, request, engine) = built().await;
    let task = task(&request, "true");
    let network = format!("{}-{}", site.namespace(), task.environment);
    docker(&["network", "create", "--driver", "overlay", &network]);
    let (sender, _lines) = collect();
    let refusal = engine.run_task(&task, 0, sender).await;
    assert!(matches!(&refusal, Err(EngineError::Refused(_))), "{refusal:?}");
    assert_eq!(engine.kept_tasks().await.unwrap(), []);
    docker(&["network", "rm", &network]);
}
