//! Builds and apps that misbehave: each ends with the state and the message that people need.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Repository, TestServer};

const STATIC: (&str, &str) = ("index.html", "<h1>Hello</h1>");

#[tokio::test]
async fn a_failing_build_says_how_it_failed() {
    let server = TestServer::start("failing").await;
    let repository = Repository::with(&[STATIC]);
    let settings = json!({ "build_command": "echo compiling; echo no such module >&2; exit 7" });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains('7'), "{}", deployed.reason());
    let printed = server.api.printed(&deployed.logs()).await;
    assert_eq!(printed, ["compiling", "no such module"]);
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::BAD_GATEWAY).await;
}

#[tokio::test]
async fn a_build_that_never_ends_is_ended_with_all_its_children() {
    let server = TestServer::start("endless").await;
    let repository = Repository::with(&[STATIC]);
    let marker = format!("31415{}", server.pid());
    let settings = json!({
        "build_command": format!("(setsid sleep {marker} &) ; sleep {marker}"),
        "build_resources": { "timeout_seconds": 2 },
    });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains("2 s"), "{}", deployed.reason());
    assert!(!is_running(&marker));
}

#[tokio::test]
async fn builds_that_are_called_off_as_they_begin_hold_nobody_up() {
    let server = TestServer::start("called_off").await;
    let repository = Repository::with(&[STATIC]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    for _ in 0..5 {
        let deployment = server.api.rebuild(&deployed.environment).await;
        let path = format!("/api/deployments/{deployment}");
        server.api.until(&path, |it| it["state"] != "queued").await;
        server.api.post(&format!("{path}/cancel"), json!({})).await;
    }
    let last = server.api.settled(&server.api.rebuild(&deployed.environment).await).await;
    assert_eq!(last["state"], "live", "{last}\n{}", server.log());
}

#[tokio::test]
async fn what_a_build_leaves_in_the_background_ends_with_it() {
    let server = TestServer::start("background").await;
    let repository = Repository::with(&[STATIC]);
    let marker = format!("27182{}", server.pid());
    let settings = json!({ "build_command": format!("setsid nohup sleep {marker} >/dev/null 2>&1 & echo done") });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    assert!(!is_running(&marker));
}

#[tokio::test]
async fn a_build_that_fills_its_disk_is_told_the_limit() {
    let server = TestServer::start_with("disk", &[("BUILDS__DISK_MB", "32")]).await;
    let repository = Repository::with(&[STATIC]);
    let fill = "i=0; while [ $i -lt 400 ]; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); sleep 0.02; done";
    let deployed = server.api.deploy(repository.path(), json!({ "build_command": fill })).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains("32 MiB"), "{}", deployed.reason());
}

#[tokio::test]
async fn a_build_that_uses_too_much_memory_is_told_the_limit() {
    let server = TestServer::start("memory").await;
    let repository = Repository::with(&[STATIC]);
    let eat = "python3 -c 'x = bytearray(400 << 20)'";
    let settings = json!({ "build_command": eat, "build_resources": { "memory_mb": 64 } });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains("64 MiB"), "{}", deployed.reason());
}

#[tokio::test]
async fn a_flood_of_output_is_cut_and_says_so() {
    let server = TestServer::start_with("flood", &[("BUILDS__LOG_MB", "1")]).await;
    let repository = Repository::with(&[STATIC]);
    let settings = json!({ "build_command": "yes 0123456789012345678901234567890123456789 | head -c 100000000; echo the end" });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let kept: usize =
        server.api.printed(&deployed.logs()).await.iter().map(|line| line.len() + 1).sum();
    assert!((500_000..=1_200_000).contains(&kept), "{kept} bytes are kept");
    let system = server.api.said(&deployed.logs()).await.join("\n");
    assert!(system.contains("dropped"), "{system}");
}

#[tokio::test]
async fn binary_output_becomes_readable_lines() {
    let server = TestServer::start("binary").await;
    let repository = Repository::with(&[STATIC]);
    let settings =
        json!({ "build_command": r"printf 'a\000b\377c\n'; printf '\033[31mred\033[0m\r\nlast'" });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let printed = server.api.printed(&deployed.logs()).await;
    assert_eq!(printed.first().map(String::as_str), Some("a\u{fffd}b\u{fffd}c"));
    assert_eq!(printed.last().map(String::as_str), Some("last"));
}

#[tokio::test]
async fn an_app_that_never_listens_is_told_where_it_should() {
    let server = TestServer::start_with("deaf", &[("APPS__START_TIMEOUT_SECONDS", "2")]).await;
    let repository = Repository::with(&[("Procfile", "web: echo thinking; sleep 600\n")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains("PORT"), "{}", deployed.reason());
}

#[tokio::test]
async fn an_app_that_keeps_crashing_fails_with_its_last_lines() {
    let server = TestServer::start("crashing").await;
    let app = r#"
import os, socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(os.environ["PORT"]))); s.listen()
time.sleep(1)
print("out of luck", flush=True)
os._exit(3)
"#;
    let repository =
        Repository::with(&[("app.py", app), ("Procfile", "web: exec python3 app.py\n")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    let path = format!("/api/deployments/{}", deployed.id());
    let failed = server.api.until(&path, |deployment| deployment["state"] == "failed").await;
    let reason = failed["reason"].as_str().unwrap();
    assert!(reason.contains("out of luck"), "{reason}");
    let path = format!("/api/environments/{}", deployed.environment);
    server.api.until(&path, |environment| environment["state"] == "failed").await;
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::BAD_GATEWAY).await;
}

#[tokio::test]
async fn a_repository_with_only_a_dockerfile_is_told_which_engine_builds_it() {
    let server = TestServer::start("dockerfile").await;
    let repository = Repository::with(&[("Dockerfile", "FROM scratch\n")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains("Docker"), "{}", deployed.reason());
}

#[tokio::test]
async fn a_branch_that_is_not_there_is_named() {
    let server = TestServer::start("no_branch").await;
    let repository = Repository::with(&[STATIC]);
    let project = server.api.create_project(repository.path(), json!({})).await;
    let environment = server.api.create_environment(&project, "nowhere").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let deployment = server.api.settled(id).await;
    assert_eq!(deployment["state"], "failed");
    assert!(deployment["reason"].as_str().unwrap().contains("nowhere"), "{deployment}");
}

/// Whether any process has this word among its arguments.
fn is_running(marker: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let is_shell = line.starts_with(b"sh\0") || line.starts_with(b"/bin/sh\0");
        !is_shell && line.split(|byte| *byte == 0).any(|word| word == marker.as_bytes())
    })
}
