//! PostgreSQL goes away in the middle of a deployment, and comes back.

use std::time::Duration;

use reqwest::{StatusCode, header};
use serde_json::json;

use crate::support::{Postgres, Repository, TestServer};

#[tokio::test]
async fn a_deployment_outlives_a_database_that_was_away() {
    let mut postgres = Postgres::start();
    let server = TestServer::start_on(&postgres.url()).await;
    let repository = Repository::answering("survived");
    let settings = json!({ "build_command": "echo begun; sleep 5; echo built" });
    let project = server.api.create_project(repository.path(), settings).await;
    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let logs = format!("/api/deployments/{id}/logs");
    server.api.until(&logs, |log| log.to_string().contains("begun")).await;

    postgres.down();
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while tokio::time::Instant::now() < until {
        let answer = server.api.get(&format!("/api/projects/{project}")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.headers.contains_key(header::RETRY_AFTER), "{answer:?}");
        let readiness = server.api.get("/readyz").await;
        assert_eq!(readiness.status, StatusCode::SERVICE_UNAVAILABLE, "{readiness:?}");
        assert_eq!(server.api.get("/healthz").await.status, StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    postgres.up();

    let deployment = server.api.settled(id).await;
    assert_eq!(deployment["state"], "live", "{deployment}\n{}", server.log());
    let host = crate::support::host_of(&environment);
    assert_eq!(server.api.visit(&server.ingress, &host).await.1, "survived");
    assert_eq!(server.api.printed(&logs).await, ["begun", "built"]);
    assert_eq!(server.api.get("/usage").await.body["billable_build_count"], 1);
}
