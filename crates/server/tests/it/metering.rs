//! What is metered is what the kernel counted.

use serde_json::json;

use crate::support::{Repository, TestServer};

/// Burns a known amount of CPU by the kernel's own count of the process, in seconds.
const BURN: &str = r"
import sys, time
wanted = float(sys.argv[1])
while time.process_time() < wanted:
    sum(range(10000))
";

/// What the builds of a server have used, in CPU seconds.
async fn metered(server: &TestServer) -> f64 {
    server.api.get("/api/usage").await.body["cpu_seconds"].as_f64().unwrap()
}

async fn meter(test: &str, settings: serde_json::Value) -> f64 {
    let server = TestServer::start(test).await;
    let repository = Repository::with(&[("burn.py", BURN), ("index.html", "")]);
    server.api.deploy(repository.path(), settings).await;
    let cpu = metered(&server).await;
    let usage = server.api.get("/usage").await.body;
    assert_eq!(usage["billable_build_count"], 1, "{usage}");
    cpu
}

/// Within 10 % of what was burnt; starting the interpreters is in that.
fn assert_close(metered: f64, burnt: f64) {
    assert!((burnt * 0.9..=burnt * 1.1).contains(&metered), "{metered} s instead of {burnt}");
}

#[tokio::test]
async fn one_process() {
    let build = json!({ "build_command": "python3 burn.py 1.5" });
    assert_close(meter("meter_one", build).await, 1.5);
}

#[tokio::test]
async fn three_at_once() {
    let burn = "python3 burn.py 1 & python3 burn.py 1 & python3 burn.py 1 & wait";
    assert_close(meter("meter_three", json!({ "build_command": burn })).await, 3.0);
}

#[tokio::test]
async fn a_daemonised_grandchild() {
    let burn = "(setsid sh -c 'python3 burn.py 1.5; touch done' >/dev/null 2>&1 &); \
                while [ ! -e done ]; do sleep 0.1; done";
    assert_close(meter("meter_daemon", json!({ "build_command": burn })).await, 1.5);
}

#[tokio::test]
async fn a_failed_build() {
    let build = json!({ "build_command": "python3 burn.py 1.5; exit 1" });
    assert_close(meter("meter_failed", build).await, 1.5);
}

#[tokio::test]
async fn a_cancelled_build() {
    let server = TestServer::start("meter_cancelled").await;
    let repository = Repository::with(&[("burn.py", BURN), ("index.html", "")]);
    let settings = json!({ "build_command": "python3 burn.py 1.5; echo burnt; sleep 600" });
    let project = server.api.create_project(repository.path(), settings).await;
    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let path = format!("/api/deployments/{id}");
    server.api.until(&format!("{path}/logs"), |log| log.to_string().contains("\"burnt\"")).await;
    server.api.post(&format!("{path}/cancel"), json!({})).await;
    server.api.until("/api/usage", |usage| usage["build_count"] == 1).await;
    assert_close(metered(&server).await, 1.5);
}

#[tokio::test]
async fn a_build_whose_server_was_killed() {
    let mut server = TestServer::start("meter_killed").await;
    let repository = Repository::with(&[("burn.py", BURN), ("index.html", "")]);
    let settings = json!({ "build_command": "echo begun; python3 burn.py 1.5; echo burnt" });
    let project = server.api.create_project(repository.path(), settings).await;
    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let path = format!("/api/deployments/{id}");
    server.api.until(&format!("{path}/logs"), |log| log.to_string().contains("begun")).await;
    server.kill_and_restart().await;

    let deployment = server.api.settled(id).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let printed = server.api.printed(&format!("{path}/logs")).await;
    assert_eq!(printed, ["begun", "burnt"]);
    assert_close(metered(&server).await, 1.5);
}
