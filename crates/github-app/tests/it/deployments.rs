//! Deployments, as GitHub shows them.

use serde_json::json;
use windlass_github_app::{DeploymentReport, DeploymentState};

use crate::stand_in::{COMMIT, StandIn, repository};

fn report(key: &str, state: DeploymentState) -> DeploymentReport {
    DeploymentReport {
        key: key.to_owned(),
        commit: COMMIT.parse().unwrap(),
        environment: "preview/login & more".to_owned(),
        production: false,
        transient: true,
        state,
        description: "It runs".to_owned(),
        log_url: Some("https://windlass.example/logs/1".parse().unwrap()),
        environment_url: None,
    }
}

#[tokio::test]
async fn a_deployment_reported_twice_exists_once() {
    let github = StandIn::start().await;
    for _ in 0..2 {
        // As after a restart: nothing is remembered here.
        let report = report("dep_1", DeploymentState::Queued);
        github.app().report_deployment(&repository(), &report).await.unwrap();
    }
    let world = github.world();
    assert_eq!(world.deployments.len(), 1);
    let made = &world.deployments[0];
    assert_eq!(made["payload"], json!({ "windlass": "dep_1" }));
    assert_eq!(made["environment"], "preview/login & more");
    assert_eq!(made["transient_environment"], true);
    assert_eq!(made["production_environment"], false);
    assert_eq!(world.deployment_statuses.len(), 1);
}

#[tokio::test]
async fn a_status_is_added_where_something_is_new() {
    let github = StandIn::start().await;
    let app = github.app();
    let mut report = report("dep_1", DeploymentState::InProgress);
    app.report_deployment(&repository(), &report).await.unwrap();
    report.state = DeploymentState::Success;
    report.environment_url = Some("https://login.example".parse().unwrap());
    report.description = "x".repeat(200);
    for _ in 0..2 {
        app.report_deployment(&repository(), &report).await.unwrap();
    }
    report.state = DeploymentState::Inactive;
    app.report_deployment(&repository(), &report).await.unwrap();
    let world = github.world();
    assert_eq!(world.deployments.len(), 1);
    let states: Vec<_> = world.deployment_statuses.iter().map(|status| &status["state"]).collect();
    assert_eq!(states, ["in_progress", "success", "inactive"]);
    let live = &world.deployment_statuses[1];
    assert_eq!(live["environment_url"], "https://login.example/");
    assert_eq!(live["description"].as_str().unwrap().chars().count(), 140);
}

#[tokio::test]
async fn a_deployment_is_found_behind_those_of_others() {
    let github = StandIn::start().await;
    github.world().page_size = 2;
    let app = github.app();
    let keys = ["dep_1", "dep_2", "dep_3", "dep_4", "dep_5", "dep_1"];
    for key in keys {
        let report = report(key, DeploymentState::Success);
        app.report_deployment(&repository(), &report).await.unwrap();
    }
    assert_eq!(github.world().deployments.len(), 5);
    // Some servers give the payload back as text.
    github.world().deployments[0]["payload"] = "{\"windlass\":\"dep_1\"}".into();
    let report = report("dep_1", DeploymentState::Success);
    app.report_deployment(&repository(), &report).await.unwrap();
    assert_eq!(github.world().deployments.len(), 5);
}

#[tokio::test]
async fn no_deployment_is_made_only_to_be_inactive() {
    let github = StandIn::start().await;
    let report = report("dep_1", DeploymentState::Inactive);
    github.app().report_deployment(&repository(), &report).await.unwrap();
    assert!(github.world().deployments.is_empty());
}
