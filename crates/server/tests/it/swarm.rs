//! The whole server on a Docker Swarm, and without the one that it was told of.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Repository, TestServer};

/// What `cargo xtask test` has made has a busybox.
const DOCKERFILE: &str =
    "FROM windlass-test/base:1\nCOPY index.html /srv/\nCMD exec httpd -f -p $PORT -h /srv\n";

/// The daemon's address.
#[expect(clippy::disallowed_methods, reason = "how tests are told of a Docker")]
fn docker() -> String {
    std::env::var("WINDLASS_TEST_DOCKER").expect(
        "no Docker is named for this test; one is started for it by: \
         cargo xtask test -- --package windlass-server on_docker",
    )
}

#[tokio::test]
async fn a_dockerfile_becomes_an_app_on_docker_that_is_replaced_adopted_paused_and_taken_down() {
    let docker = docker();
    let namespace = format!("s{}", std::process::id());
    let settings = [
        ("ENGINE__KIND", "swarm"),
        ("SWARM__ENDPOINT", docker.as_str()),
        ("SWARM__NAMESPACE", namespace.as_str()),
    ];
    let mut server = TestServer::start_with("swarm", &settings).await;
    assert_eq!(server.api.get("/readyz").await.status, StatusCode::OK, "{}", server.log());
    let repository = Repository::with(&[("Dockerfile", DOCKERFILE), ("index.html", "one")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}\n{}", deployed.reason(), server.log());
    let visit = server.api.visit(&server.ingress, &deployed.host).await;
    assert_eq!(visit, (StatusCode::OK, "one".to_owned()));
    let said = server.api.said(&deployed.logs()).await;
    assert!(said.iter().any(|line| line.starts_with("Step 2/")), "{said:?}");

    repository.commit(&[("index.html", "two")]);
    let second = server.api.settled(&server.api.rebuild(&deployed.environment).await).await;
    assert_eq!(second["state"], "live", "{second}\n{}", server.log());
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "two");

    server.kill_and_restart().await;
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::OK).await;
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "two");

    let path = format!("/api/environments/{}", deployed.environment);
    server.api.post(&format!("{path}/pause"), json!({})).await;
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    server.api.visit_until(&server.ingress, &deployed.host, unavailable).await;
    server.api.post(&format!("{path}/resume"), json!({})).await;
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::OK).await;
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "two");

    let destroying = server.api.post(&format!("{path}/destroy"), json!({})).await;
    assert_eq!(destroying.status, StatusCode::ACCEPTED, "{destroying:?}");
    server.api.until(&path, |environment| environment["state"] == "destroyed").await;
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn a_server_without_its_docker_starts_and_says_what_is_missing() {
    let endpoint = "unix:///nonexistent/docker.sock";
    let settings = [("ENGINE__KIND", "swarm"), ("SWARM__ENDPOINT", endpoint)];
    let server = TestServer::start_with("no_docker", &settings).await;
    let readiness = server.api.get("/readyz").await;
    assert_eq!(readiness.status, StatusCode::SERVICE_UNAVAILABLE, "{readiness:?}");
    assert!(readiness.body.to_string().contains("engine_unavailable"), "{readiness:?}");
    assert_eq!(server.api.get("/healthz").await.status, StatusCode::OK);
    assert!(server.log().contains("Docker cannot be reached"), "{}", server.log());
}
