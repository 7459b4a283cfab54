//! What a build or an app must not reach, whoever wrote it.

use serde_json::json;

use crate::support::{Repository, TestServer};

/// Runs a build and returns what it printed. It may fail; that is no part of the question.
async fn printed_by(server: &TestServer, command: &str) -> String {
    let repository = Repository::with(&[("index.html", "")]);
    let settings = json!({ "build_command": command });
    let deployed = server.api.deploy(repository.path(), settings).await;
    let printed = server.api.printed(&deployed.logs()).await.join("\n");
    assert!(printed.contains("begun"), "the build did not run: {deployed:?}");
    printed
}

/// Runs an app that tries something when it starts, and returns what it printed.
async fn printed_by_app(server: &TestServer, command: &str) -> String {
    let script = format!("{command}\nexec python3 -m http.server --bind 127.0.0.1 $PORT\n");
    let repository = Repository::with(&[("try.sh", &script), ("Procfile", "web: sh try.sh\n")]);
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let path = format!("/api/environments/{}/logs", deployed.environment);
    server.api.until(&path, |log| log.to_string().contains("tried")).await;
    server.api.printed(&path).await.join("\n")
}

#[tokio::test]
async fn the_data_folder_and_the_owners_key_are_out_of_reach() {
    let server = TestServer::start("data_folder").await;
    let data = server.data_dir();
    let attempt = format!(
        "echo begun; cat {0}/owner.key; ls {0}; cat {0}/secrets.key; echo x > {0}/mine; echo tried",
        data.display(),
    );
    for printed in [printed_by(&server, &attempt).await, printed_by_app(&server, &attempt).await] {
        assert!(!printed.contains("wls_"), "{printed}");
        assert!(!printed.contains("windlass.db") && !printed.contains("server.json"), "{printed}");
    }
    assert!(!data.join("mine").exists());
}

#[tokio::test]
async fn the_servers_environment_is_out_of_reach() {
    let server = TestServer::start("environ").await;
    let attempt = format!(
        "echo begun; cat /proc/{}/environ; cat /proc/*/environ | tr '\\0' '\\n'; env; echo tried",
        server.pid(),
    );
    for printed in [printed_by(&server, &attempt).await, printed_by_app(&server, &attempt).await] {
        assert!(!printed.contains("of-the-server"), "{printed}");
        assert!(!printed.contains("WINDLASS_KEYS"), "{printed}");
    }
}

#[tokio::test]
async fn the_server_cannot_be_signalled() {
    let server = TestServer::start("signals").await;
    let attempt = format!("echo begun; kill -9 {}; kill -9 -1; echo tried", server.pid());
    printed_by(&server, &attempt).await;
    printed_by_app(&server, &format!("echo begun; kill -9 {}; echo tried", server.pid())).await;
    assert_eq!(server.api.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn another_projects_workspace_is_out_of_reach() {
    let server = TestServer::start("workspaces").await;
    let theirs = Repository::with(&[
        ("their-secret.txt", "treasure"),
        ("Procfile", "web: exec python3 -m http.server --bind 127.0.0.1 $PORT\n"),
    ]);
    let deployed = server.api.deploy(theirs.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let attempt = format!(
        "echo begun; find / -name their-secret.txt -not -path '/proc/*' 2>/dev/null -exec cat {{}} +; \
         find {} 2>/dev/null; echo tried",
        server.data_dir().display(),
    );
    for printed in [printed_by(&server, &attempt).await, printed_by_app(&server, &attempt).await] {
        assert!(!printed.contains("treasure") && !printed.contains("their-secret"), "{printed}");
    }
}

#[tokio::test]
async fn nothing_outside_of_the_workspace_can_be_written() {
    let server = TestServer::start("writing").await;
    let attempt = "echo begun; for d in / /usr /etc /var /home /root /opt; do \
                   echo x > $d/windlass-was-here && echo wrote-$d; done; \
                   echo x > /tmp/windlass-was-here; echo tried";
    let printed = printed_by(&server, attempt).await;
    assert!(!printed.contains("wrote-/"), "{printed}");
    // Its own `/tmp` is nobody else's.
    assert!(!std::path::Path::new("/tmp/windlass-was-here").exists());
}

#[tokio::test]
async fn builds_and_apps_are_ordinary_users() {
    let server = TestServer::start("users").await;
    for printed in [
        printed_by(&server, "echo begun; id -u; echo tried").await,
        printed_by_app(&server, "echo begun; id -u; echo tried").await,
    ] {
        assert!(!printed.lines().any(|line| line == "0"), "{printed}");
    }
}
