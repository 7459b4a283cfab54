//! An operator's errands beside a running server.

use std::{fs, process::Stdio, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use windlass_auth::{BcryptCost, HasherOptions, KeyHasher, PlainKey};

use crate::support::TestServer;

/// What an errand came to.
struct Done {
    code: Option<i32>,
    report: Value,
    said: String,
}

/// Imports lines from standard input.
async fn import(server: &TestServer, lines: &str) -> Done {
    let mut command = server.admin(&["import-keys", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(lines.as_bytes()).await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Done { code: output.status.code(), report, said }
}

async fn hash(key: &str) -> String {
    let cost = BcryptCost::MIN;
    let hasher = KeyHasher::new(HasherOptions { cost, ..HasherOptions::default() });
    hasher.hash(&PlainKey::from(key.to_owned())).await.unwrap()
}

#[tokio::test]
async fn keys_from_elsewhere_work_at_once_on_a_running_server() {
    let server = TestServer::start("import_keys").await;
    let [nexos, norrix] =
        ["nxs_6f1c2d3e4b5a69788796a5b4c3d2e1f0", "nrx_Ks7dF2xW9bT3mN+pQ/r8sV1y=="];
    let refused = server.api.with_key(nexos).get("/api/auth/me").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);

    let lines = [
        json!({
            "prefix": &nexos[..12], "hash": hash(nexos).await.replace("$2b$", "$2y$"),
            "name": "from nexos", "scopes": ["read"], "created_at": "2025-03-01T08:00:00Z",
        })
        .to_string(),
        "{\"prefix\": \"nxs_".to_owned(),
        String::new(),
        json!({
            "prefix": &norrix[..12], "hash": hash(norrix).await.replace("$2b$", "$2a$"),
            "name": "from norrix", "scopes": ["build", "everything"],
        })
        .to_string(),
        json!({
            "prefix": &norrix[..12], "hash": hash(norrix).await,
            "name": "from norrix", "scopes": ["build"], "expiresAt": "2099-01-01T00:00:00Z",
        })
        .to_string(),
    ]
    .join("\n");
    let first = import(&server, &lines).await;
    assert_eq!(first.code, Some(1), "{}", first.said);
    let numbers = |done: &Done, what: &str| -> Vec<u64> {
        let list = done.report[what].as_array().unwrap_or_else(|| panic!("{}", done.said));
        list.iter().map(|entry| entry["line"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(&first, "imported"), [1, 5]);
    assert_eq!(numbers(&first, "refused"), [2, 4]);
    assert!(first.said.contains("line 2: cannot be read: "), "{}", first.said);
    assert!(first.said.contains("line 4: item 1: scopes must be one of "), "{}", first.said);
    assert!(first.said.ends_with("2 imported, 0 were here already, 2 refused\n"), "{}", first.said);
    let told = format!("{} {}", first.report, first.said);
    assert!(!told.contains("everything") && !told.contains("$2"), "{told}");

    // A server that cannot be told asks again within a second.
    for (key, name, created_at) in
        [(nexos, "from nexos", Some("2025-03-01T08:00:00Z")), (norrix, "from norrix", None)]
    {
        let api = server.api.with_key(key);
        let me = api.until("/api/auth/me", |_| true).await;
        assert_eq!(me["credential"]["name"], name);
        let listed = server.api.get("/api/auth/api-keys").await.body;
        let listed = listed.as_array().unwrap().iter().find(|listed| listed["name"] == name);
        let listed = listed.unwrap();
        assert_eq!(listed["prefix"], key[..12]);
        assert!(created_at.is_none_or(|at| listed["created_at"] == at), "{listed}");
    }

    let again = import(&server, &lines).await;
    assert_eq!((again.code, numbers(&again, "unchanged")), (Some(1), vec![1, 5]));
    assert_eq!(numbers(&again, "imported"), [0; 0]);
    let good = lines.lines().next().unwrap();
    assert_eq!(import(&server, good).await.code, Some(0), "nothing was refused");

    let id = first.report["imported"][0]["id"].as_str().unwrap();
    let revoked = server.api.delete(&format!("/api/auth/api-keys/{id}")).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    let refused = server.api.with_key(nexos).get("/api/auth/me").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(import(&server, good).await.code, Some(0));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let refused = server.api.with_key(nexos).get("/api/auth/me").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "a revocation is never taken back");
    for secret in [nexos, norrix, "$2a$", "$2b$", "$2y$"] {
        assert!(!server.log().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_errand_for_nobody_or_on_no_database_is_refused() {
    let server = TestServer::start("import_nobody").await;
    let file = server.data_dir().join("../keys.jsonl");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();

    let nobody = ["import-keys", "--organization", "org_01kdvdna000000000000000000", file];
    let output = server.admin(&nobody).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("there is no organization org_"), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_windlass-server"));
    command.args(["admin", "import-keys", file, "--data-dir"]).arg(folder.path());
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("there is no database"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");

    let empty = server.admin(&["import-keys", file]).output().await.unwrap();
    assert!(empty.status.success());
}

#[tokio::test]
async fn an_organization_gets_another_plan_while_the_server_runs() {
    let settings = [("QUOTAS__PLANS__FREE__MAX_PROJECTS", "1")];
    let server = TestServer::start_with("set_plan", &settings).await;
    assert_eq!(server.api.get("/api/quota").await.body["plan"], "unlimited");
    server.administer(&["set-plan", "free"]).await;
    let quota = server.api.get("/api/quota").await.body;
    assert_eq!((&quota["plan"], &quota["limits"]["max_projects"]), (&json!("free"), &json!(1)));

    let output = server.admin(&["set-plan", "pro"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("[quotas.plans.pro]"), "{said}");
    server.administer(&["set-plan", "--default"]).await;
    assert_eq!(server.api.get("/api/quota").await.body["plan"], "unlimited");
}
