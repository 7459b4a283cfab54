//! Starting, stopping and being killed.

use std::{fs, os::unix::fs::PermissionsExt as _};

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::AsyncReadExt as _;

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

/// An app that answers with its port, and with what no other process can answer: whatever it was
/// when it started.
const ITSELF: &str = r#"
import http.server, os

PORT = os.environ["PORT"]
ITSELF = f"{PORT} {os.getpid()} {os.urandom(8).hex()}".encode()

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ITSELF)
    def log_message(self, *arguments):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Answer).serve_forever()
"#;

#[tokio::test]
async fn an_app_answers_while_the_server_is_away_and_is_adopted_again() {
    let mut server = TestServer::start("adopted").await;
    let repository =
        Repository::with(&[("app.py", ITSELF), ("Procfile", "web: exec python3 app.py\n")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let before = server.api.visit(&server.ingress, &deployed.host).await;
    assert_eq!(before.0, StatusCode::OK, "{before:?}");

    server.kill().await;
    let port = before.1.split(' ').next().unwrap();
    let meanwhile = server.api.visit(&format!("127.0.0.1:{port}"), &deployed.host).await;
    assert_eq!(meanwhile, before);

    server.start_again().await;
    let after = server.api.visit(&server.ingress, &deployed.host).await;
    assert_eq!(after, before, "{}", server.log());

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
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::OK).await;
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

#[tokio::test]
async fn traces_go_where_the_configuration_says() {
    let collector = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let received = tokio::spawn(async move {
        let (mut connection, _) = collector.accept().await.unwrap();
        let mut bytes = Vec::new();
        let end = b"POST /v1/traces HTTP/1.1\r\n";
        while bytes.len() < end.len() {
            connection.read_buf(&mut bytes).await.unwrap();
        }
        bytes.starts_with(end)
    });
    let mut server =
        TestServer::start_with("traces", &[("TELEMETRY__OTLP_ENDPOINT", &endpoint)]).await;
    server.api.get("/api/projects").await;
    // What is still to be sent is sent at the end.
    assert!(server.stop().await.success());
    let received = tokio::time::timeout(std::time::Duration::from_mins(1), received).await;
    assert!(received.expect("traces arrive").unwrap());
}

#[tokio::test]
async fn metrics_want_a_credential_and_tell_of_requests_jobs_and_builds() {
    let server = TestServer::start("metrics").await;
    let repository = Repository::answering("measured");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    server.api.visit(&server.ingress, &deployed.host).await;
    let refused = server.api.with_key("").get("/metrics").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
    // The job ends a moment after its deployment is live.
    let is_complete = |metrics: &serde_json::Value| {
        let names = [
            "windlass_http_requests_total",
            "windlass_job_attempts_total",
            "windlass_builds_total",
            "windlass_deployments_total",
            "windlass_ingress_requests_total",
        ];
        names.iter().all(|name| metrics.as_str().is_some_and(|text| text.contains(name)))
    };
    server.api.until("/metrics", is_complete).await;
}
