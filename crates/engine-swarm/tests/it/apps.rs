//! Apps as services.

use std::time::Duration;

use windlass_domain::{DeploymentId, EnvironmentId, LogStream};
use windlass_engine::{AppState, Engine as _, EngineError};

use crate::site::{
    GRACE, Site, app, build_well, collect, docker, effects, get, text, until, variable,
};

const SERVE: &str = "CMD exec httpd -f -p $PORT -h /srv";

#[tokio::test]
async fn an_app_has_what_it_is_given_and_may_do_little() {
    let dump = "RUN mkdir /srv && chmod 777 /srv\n\
                CMD env > /srv/env; cat /proc/self/status > /srv/status; \
                exec httpd -f -p $PORT -h /srv";
    let (site, request) = Site::with_dockerfile(dump, &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    app.variables = vec![variable("KEY", "a 'b'\n$c")];
    let running = engine.start(&app).await.unwrap();
    let environment = get(running.addresses[0], "/env").await;
    assert!(environment.contains("KEY=a 'b'\n$c\n"), "{environment}");
    assert!(environment.contains("\nPORT=8080\n"), "{environment}");
    let commit = format!("WINDLASS_COMMIT={}\n", request.commit);
    assert!(environment.contains(&commit) && environment.contains("WINDLASS_BRANCH=main\n"));
    let status = get(running.addresses[0], "/status").await;
    // CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE.
    assert!(status.contains("CapBnd:\t00000000000004eb\n"), "{status}");
    assert!(status.contains("NoNewPrivs:\t1\n"), "{status}");

    let name = format!("{}-{}", site.namespace(), app.deployment);
    let limits = docker(&[
        "service",
        "inspect",
        "--format",
        "{{json .Spec.TaskTemplate.Resources.Limits}}",
        &name,
    ]);
    let expected = "{\"NanoCPUs\":1000000000,\"MemoryBytes\":67108864,\"Pids\":50}";
    assert_eq!(limits, expected);
    engine.stop(app.deployment, GRACE).await.unwrap();
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn an_app_is_not_looked_for_at_somebody_elses_port() {
    let (site, request) = Site::with_dockerfile(&format!("RUN mkdir /srv\n{SERVE}"), &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    // From here on Docker is ahead in giving out ports for IPv4: the one that the app gets for IPv6
    // is this stranger's for IPv4.
    let base = "windlass-test/base:1";
    let stranger =
        docker(&["run", "--rm", "--detach", "--publish", "0.0.0.0::80", base, "sleep", "60"]);
    let theirs = docker(&["port", &stranger, "80"]);
    let running = engine.start(&app(&request)).await.unwrap();
    let observed = engine.observe().await.unwrap();
    docker(&["kill", &stranger]);
    assert_eq!(observed[0].state, AppState::Running(running.clone()));
    let [address] = &*running.addresses else { panic!("{running:?}") };
    assert!(!theirs.ends_with(&format!(":{}", address.port())), "{theirs} {address}");
    assert!(get(*address, "/").await.contains("404"));
}

#[tokio::test]
async fn a_port_of_its_own_and_a_path_are_looked_at() {
    let (site, request) = Site::with_dockerfile(
        "RUN mkdir /srv && echo fine > /srv/up\nCMD exec httpd -f -p 9000 -h /srv",
        &[],
    );
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut good = app(&request);
    (good.port, good.health_path) = (Some(9000), Some("/up".to_owned()));
    let running = engine.start(&good).await.unwrap();
    assert!(get(running.addresses[0], "/up").await.ends_with("fine\n"));
    engine.stop(good.deployment, GRACE).await.unwrap();

    let mut bad = app(&request);
    (bad.port, bad.health_path) = (Some(9000), Some("/down".to_owned()));
    bad.start_timeout = Duration::from_secs(1);
    let error = engine.start(&bad).await.unwrap_err().to_string();
    assert!(error.contains("GET /down was answered with status 404"), "{error}");
    let mut silent = app(&request);
    silent.start_timeout = Duration::from_secs(1);
    let error = engine.start(&silent).await.unwrap_err().to_string();
    assert!(error.contains("nothing listens") && error.contains("PORT"), "{error}");
    assert_eq!(engine.observe().await.unwrap(), []);
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn an_app_that_ends_says_why() {
    let (site, request) =
        Site::with_dockerfile("CMD echo first words; echo last words >&2; exit 3", &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let error = engine.start(&app(&request)).await.unwrap_err();
    let EngineError::Refused(message) = &error else { panic!("{error:?}") };
    assert!(message.contains("before it was healthy") && message.contains("(3)"), "{message}");
    assert!(message.contains("first words") && message.contains("last words"), "{message}");
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn an_app_that_crashes_is_started_again_and_its_lines_go_on() {
    let (site, request) = Site::with_dockerfile(
        "RUN mkdir /srv\nCMD echo begun; httpd -p $PORT -h /srv; sleep 98764.1; echo ended; exit 4",
        &[],
    );
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    app.first_line = 7;
    let running = engine.start(&app).await.unwrap();
    let (sender, lines) = collect();
    let crash = async {
        let label = format!("label=windlass.deployment={}", app.deployment);
        let id = docker(&["container", "ls", "--quiet", "--filter", &label]);
        docker(&["exec", &id, "killall", "sleep"]);
        until("it runs again, elsewhere", async || {
            let seen = engine.observe().await.unwrap();
            matches!(&seen[0].state, AppState::Running(now) if *now != running)
        })
        .await;
        until("its second beginning is stored", async || {
            let (sender, mut received) = tokio::sync::mpsc::channel(1);
            tokio::select! {
                _ = engine.follow(app.deployment, 10, sender) => false,
                line = received.recv() => line.is_some_and(|line| line.number == 10),
            }
        })
        .await;
        engine.stop(app.deployment, GRACE).await.unwrap();
    };
    let (followed, ()) = tokio::join!(engine.follow(app.deployment, 0, sender), crash);
    followed.unwrap();
    let lines = lines.await.unwrap();
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [7, 8, 9, 10]);
    // The shell complains that its child was ended.
    let printed: Vec<_> = lines.into_iter().filter(|it| it.stream == LogStream::Stdout).collect();
    assert_eq!(text(&printed), "begun\nended\nbegun");
}

#[tokio::test]
async fn apps_of_an_environment_see_each_other_and_no_others() {
    let (site, request) = Site::with_dockerfile(&format!("RUN mkdir /srv\n{SERVE}"), &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let one = app(&request);
    let (mut two, mut stranger) = (app(&request), app(&request));
    two.environment = one.environment;
    stranger.environment = EnvironmentId::generate(effects());
    for app in [&one, &two, &stranger] {
        engine.start(app).await.unwrap();
    }
    let name = |deployment: DeploymentId| format!("{}-{deployment}", site.namespace());
    let sees = |from: DeploymentId, to: DeploymentId| {
        let label = format!("label=windlass.deployment={from}");
        let id = docker(&["container", "ls", "--quiet", "--filter", &label]);
        let ask = format!("nslookup {} 127.0.0.11 >/dev/null 2>&1; echo $?", name(to));
        docker(&["exec", &id, "sh", "-c", &ask]) == "0"
    };
    assert!(sees(one.deployment, two.deployment));
    assert!(!sees(stranger.deployment, one.deployment));
    engine.stop_all(GRACE).await.unwrap();
    site.assert_nothing_left().await;
}

#[tokio::test]
async fn what_lacks_our_labels_is_left_alone() {
    let (site, request) = Site::with_dockerfile(&format!("RUN mkdir /srv\n{SERVE}"), &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let app = app(&request);
    let name = format!("{}-{}", site.namespace(), app.deployment);
    docker(&[
        "service",
        "create",
        "--detach",
        "--name",
        &name,
        "--replicas",
        "0",
        "windlass-test/base:1",
    ]);
    let error = engine.start(&app).await.unwrap_err();
    assert!(matches!(error, EngineError::Internal { .. }), "{error:?}");
    assert!(engine.stop(app.deployment, GRACE).await.is_err());
    assert_eq!(engine.observe().await.unwrap(), []);
    docker(&["service", "rm", &name]);
}

#[tokio::test]
async fn a_service_that_is_not_as_it_is_wanted_is_changed() {
    let (site, request) = Site::with_dockerfile(&format!("RUN mkdir /srv\n{SERVE}"), &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let mut app = app(&request);
    engine.start(&app).await.unwrap();
    app.limits.memory_bytes = 96 * 1024 * 1024;
    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/").await.starts_with("HTTP/1."));
    let name = format!("{}-{}", site.namespace(), app.deployment);
    let memory = "{{.Spec.TaskTemplate.Resources.Limits.MemoryBytes}}";
    let memory = docker(&["service", "inspect", "--format", memory, &name]);
    assert_eq!(memory, (96 * 1024 * 1024).to_string());
    engine.stop(app.deployment, GRACE).await.unwrap();
}
