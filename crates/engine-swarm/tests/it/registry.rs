//! Images that go to a registry, and those that cannot.

use secrecy::SecretString;
use windlass_domain::{BuildResult, LogStream};
use windlass_engine::{Engine as _, EngineError};

use crate::{
    cluster::Cluster,
    site::{GRACE, Site, app, build, get, text},
};

const SERVE: &str = "RUN mkdir /srv && echo hello > /srv/index.html\n\
                     CMD exec httpd -f -p $PORT -h /srv";

#[tokio::test]
async fn what_was_built_is_pushed_and_started_by_its_digest() {
    let mut cluster = Cluster::of(1);
    cluster.init_swarm();
    let registry = cluster.start_registry(true);
    let site = Site::on(cluster.endpoint(1), Some(registry.clone()));
    let request = site.request(site.commit_dockerfile(SERVE, &[]));
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}\n{}", text(&lines));
    let said = |part: &str| {
        let mut lines = lines.iter().filter(|line| line.stream == LogStream::System);
        lines.any(|line| line.text.as_str().contains(part))
    };
    for part in [&*registry.address, "Pushed 1 of", "The registry has the image as sha256:"] {
        assert!(said(part), "{part}: {}", text(&lines));
    }
    assert!(!text(&lines).contains("s3cret"));

    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    let service = format!("{}-{}", site.namespace(), app.deployment);
    let image = "{{.Spec.TaskTemplate.ContainerSpec.Image}}";
    let image = cluster.docker(1, &["service", "inspect", "--format", image, &service]);
    let pinned = format!("{}/{}@sha256:", registry.address, site.namespace());
    assert!(image.starts_with(&pinned), "{image}");
    // Noting that it is healthy has not replaced it.
    let tasks = cluster.docker(1, &["service", "ps", "--quiet", &service]);
    assert_eq!(tasks.lines().count(), 1, "{tasks}");
    assert!(get(running.addresses[0], "/").await.ends_with("hello\n"));
    assert_eq!(running.addresses[0].ip(), cluster.address(1));

    engine.stop(app.deployment, GRACE).await.unwrap();
    assert_eq!(engine.kept_builds().await.unwrap(), [request.build]);
}

#[tokio::test]
async fn a_registry_that_does_not_know_the_password_is_told_so() {
    let mut cluster = Cluster::of(1);
    cluster.init_swarm();
    let mut registry = cluster.start_registry(true);
    registry.password = SecretString::from("hunter2");
    let site = Site::on(cluster.endpoint(1), Some(registry));
    let request = site.request(site.commit_dockerfile(SERVE, &[]));
    let engine = site.engine().await;
    let error = build(&engine, &request).await.unwrap_err();
    let EngineError::Unavailable(message) = &error else { panic!("{error:?}") };
    assert!(message.contains("swarm.registry_password"), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
    assert_eq!(engine.kept_builds().await.unwrap(), []);
}

#[tokio::test]
async fn without_a_registry_an_app_runs_where_it_was_built_or_says_what_is_missing() {
    let cluster = Cluster::of(2);
    cluster.init_swarm();
    let token = cluster.docker(1, &["swarm", "join-token", "--quiet", "worker"]);
    let manager = format!("{}:2377", cluster.address(1));
    cluster.docker(2, &["swarm", "join", "--token", &token, &manager]);
    let site = Site::on(cluster.endpoint(1), None);
    let request = site.request(site.commit_dockerfile(SERVE, &[]));
    let engine = site.engine().await;
    build(&engine, &request).await.unwrap();
    for _ in 0..3 {
        let running = engine.start(&app(&request)).await.unwrap();
        assert_eq!(running.addresses[0].ip(), cluster.address(1));
    }
    let warnings = engine.warnings().await;
    assert!(warnings.iter().any(|it| it.contains("`swarm.registry`")), "{warnings:?}");

    cluster.docker(1, &["node", "update", "--availability", "drain", "node1"]);
    let error = engine.start(&app(&request)).await.unwrap_err();
    let EngineError::Refused(message) = &error else { panic!("{error:?}") };
    assert!(message.contains("node1") && message.contains("`swarm.registry`"), "{message}");
}
