//! The server against its own document: nothing that it answers is missing there.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Repository, TestServer};

#[tokio::test]
async fn every_answer_is_in_the_document() {
    let server = TestServer::start("schemathesis").await;
    let repository = Repository::with(&[("index.html", "")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());

    let folder = tempfile::tempdir().unwrap();
    // A schema cannot say that a period ends after it begins, or what has changed meanwhile. Said
    // here, so that no other file of this name is found further up.
    let settings = "[checks]\npositive_data_acceptance.expected-statuses = \
                    [\"2xx\", \"3xx\", \"401\", \"403\", \"404\", \"409\", \"412\", \"422\", \"5xx\"]\n";
    std::fs::write(folder.path().join("schemathesis.toml"), settings).unwrap();
    let output = Command::new("schemathesis")
        .arg("run")
        .arg(format!("{}/openapi.json", server.api.base()))
        .args(["--header", &format!("Authorization: Bearer {}", server.api.key())])
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
