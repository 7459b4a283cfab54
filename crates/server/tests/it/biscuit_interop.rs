//! Tokens in the hands of another implementation of Biscuit: read there, narrowed there, and
//! obeyed here.

use std::process::Stdio;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};
use windlass_auth::inspect;

use crate::support::{Api, TestServer};

/// Where `cargo xtask test` has installed `biscuit-python`, next to the program that it finds by
/// its name.
async fn narrow(request: &Value) -> Value {
    let mut python = Command::new("sh")
        .args(["-c", r#"exec "$(dirname "$(command -v schemathesis)")/python3" "$0""#])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/biscuit_interop.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(request.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = python.wait_with_output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`cargo xtask test` installs what this needs: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn project(api: &Api, name: &str) -> String {
    let body = json!({ "name": name, "git_url": "https://git.example.com/shop.git" });
    let created = api.post("/api/projects", body).await;
    created.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_another_implementation_narrows_is_obeyed() {
    let server = TestServer::start("biscuit_interop").await;
    let (ours, theirs) = (project(&server.api, "ours").await, project(&server.api, "theirs").await);
    let body = json!({ "label": "abroad", "permissions": ["projects:read", "environments:read"] });
    let said = server.administer(&["rotate-root-key"]).await;
    let public_key = said.split_whitespace().last().unwrap();
    let created = server.api.post("/api/auth/tokens", body).await.body;
    let inspected = inspect(created["token"].as_str().unwrap()).unwrap();
    assert_eq!(inspected.root_key, Some(1), "the operator was first");

    let request = json!({ "token": created["token"], "public_key": public_key, "project": ours });
    let answer = narrow(&request).await;
    let source = answer["blocks"][0].as_str().unwrap();
    assert_eq!(source.trim(), inspected.blocks[0].source.trim());
    assert_eq!(answer["revocation_ids"], json!([created["revocation_id"]]));

    let path = |id: &str| format!("/api/projects/{id}");
    for (name, [reads_ours, reads_theirs, lists]) in [
        ("reading", [StatusCode::OK, StatusCode::OK, StatusCode::OK]),
        ("project", [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN]),
        ("permission", [StatusCode::OK, StatusCode::OK, StatusCode::OK]),
        ("expired", [StatusCode::UNAUTHORIZED; 3]),
        ("address", [StatusCode::FORBIDDEN; 3]),
        ("network", [StatusCode::OK, StatusCode::OK, StatusCode::OK]),
        ("both", [StatusCode::OK, StatusCode::OK, StatusCode::OK]),
        ("wishful", [StatusCode::OK, StatusCode::OK, StatusCode::OK]),
    ] {
        let holder = server.api.with_key(answer["narrowed"][name].as_str().unwrap());
        let read = [path(&ours), path(&theirs), "/api/projects".to_owned()];
        for (path, expected) in read.iter().zip([reads_ours, reads_theirs, lists]) {
            let seen = holder.get(path).await;
            assert_eq!(seen.status, expected, "{name}: {path}: {}", seen.body);
        }
        let body = json!({ "name": "mine", "git_url": "https://git.example.com/mine.git" });
        let changed = holder.post("/api/projects", body).await;
        assert!(changed.status.is_client_error(), "{name} has only ever been good for reading");
    }
    let listed = server.api.get("/api/projects").await;
    assert_eq!(listed.body.as_array().unwrap().len(), 2, "nothing has changed");
}
