//! Starting, stopping and being killed.

use std::{fs, os::unix::fs::PermissionsExt as _};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Repository, TestServer};

#[tokio::test]
async fn the_first_start_leaves_a_key_that_only_its_owner_can_read() {
    let server = TestServer::start("first_start").await;
    let path = server.data_dir().join("owner.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let me = server.api.get("/api/auth/me").await;
    assert_eq!(me.status, StatusCode::OK, "{me:?}");
    assert!(!server.log().contains(server.api.key()));
    let secret = server.api.key().rsplit('_').next().unwrap();
    assert!(!server.log().contains(secret));
}

#[tokio::test]
async fn an_app_answers_while_the_server_is_away_and_is_adopted_again() {
    let mut server = TestServer::start("adopted").await;
    let repository = Repository::answering("still here");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    server.kill_and_restart().await;
    let (status, body) = server.api.visit(&server.ingress, &deployed.host).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "still here"), "{}", server.log());

    repository.answer("new");
    let deployment = server.api.settled(&server.api.rebuild(&deployed.environment).await).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "new");
}

#[tokio::test]
async fn a_server_that_is_told_so_stops_its_apps_and_the_next_one_starts_them_again() {
    let mut server = TestServer::start("stop_apps").await;
    let repository = Repository::answering("back again");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    assert!(server.stop().await.success());
    let folder = server.data_dir().display().to_string();
    assert_eq!(processes_of(&folder), Vec::<String>::new());

    server.start_again().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(1);
    while server.api.visit(&server.ingress, &deployed.host).await.0 != StatusCode::OK {
        assert!(tokio::time::Instant::now() < deadline, "{}", server.log());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_failing_redeployment_leaves_the_old_app_answering() {
    let server = TestServer::start("old_app").await;
    let repository = Repository::answering("good");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    repository.commit(&[("Procfile", "web: echo broken; exit 1\n")]);
    let deployment = server.api.settled(&server.api.rebuild(&deployed.environment).await).await;
    assert_eq!(deployment["state"], "failed", "{deployment}");
    assert!(deployment["reason"].as_str().unwrap().contains("broken"), "{deployment}");
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "good");
    let environment = server.api.get(&format!("/api/environments/{}", deployed.environment)).await;
    assert_eq!(environment.body["state"], "active");
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_then_on() {
    let server = TestServer::start("revoked").await;
    let created = server
        .api
        .post("/api/auth/api-keys", json!({ "name": "ci", "scopes": ["projects:read"] }))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let other = server.api.with_key(created.body["key"].as_str().unwrap());
    assert_eq!(other.get("/api/projects").await.status, StatusCode::OK);
    assert_eq!(other.get("/api/usage").await.status, StatusCode::FORBIDDEN);
    let path = format!("/api/auth/api-keys/{}", created.body["id"].as_str().unwrap());
    assert!(server.api.delete(&path).await.status.is_success());
    assert_eq!(other.get("/api/projects").await.status, StatusCode::UNAUTHORIZED);
}

fn processes_of(folder: &str) -> Vec<String> {
    let command_lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    command_lines.filter(|line| line.contains(folder)).collect()
}
