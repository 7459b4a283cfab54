//! The server against its own document: nothing that it answers is missing there.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Repository, TestServer};

/// A schema cannot say that a period ends after it begins, or what has changed meanwhile. Where one
/// step leads to another, any id is tried as any other, whatever the schema says.
const SETTINGS: &str = r#"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "422", "429", "5xx"]
[phases.stateful.checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "4xx", "5xx"]
"#;

/// Tried last, and by themselves: with what they are told of, the key ends with which everything is
/// tried, or they have nothing but a refusal for any key.
const LAST: [&str; 10] = [
    "norrix_revoke_api_key",
    "remove_member",
    "revoke_api_key",
    "rotate_api_key",
    "set_member_role",
    "change_password",
    "end_own_token",
    "end_session",
    "list_sessions",
    "logout",
];

/// Where the last ones learn what there is.
const LEADS_THERE: [&str; 4] =
    ["create_api_key", "list_api_keys", "list_members", "norrix_create_api_key"];

#[tokio::test]
async fn every_answer_is_in_the_document() {
    let server = TestServer::start("schemathesis").await;
    let repository = Repository::with(&[("index.html", "")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());

    run(&server, "exclude", &LAST).await;
    run(&server, "include", &[&LAST[..], &LEADS_THERE].concat()).await;
}

/// Tries all but some operations, or these alone.
async fn run(server: &TestServer, choice: &str, operations: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    // Said here, so that no other file of this name is found further up.
    std::fs::write(folder.path().join("schemathesis.toml"), SETTINGS).unwrap();
    let output = Command::new("schemathesis")
        .arg("run")
        .arg(format!("{}/openapi.json", server.api.base()))
        .args(["--header", &format!("Authorization: Bearer {}", server.api.key())])
        .args(
            operations.iter().flat_map(|id| [format!("--{choice}-operation-id"), (*id).to_owned()]),
        )
        // One worker: it parses Python, and CPython 3.11 fails now and then when two threads do.
        .args(["--checks", "all", "--max-examples", "20", "--seed", "1", "--workers", "1"])
        // Answers are held back for a minute where that is asked for.
        .args(["--request-timeout", "90", "--max-response-time", "90", "--no-color"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("schemathesis is installed (`cargo xtask test` does it)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
