//! Environments: created, rebuilt, destroyed.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use insta::assert_json_snapshot;
use serde_json::json;

use crate::harness::{TestApi, id};

#[tokio::test]
async fn a_new_environment_shows_its_address_and_its_first_deployment() {
    let api = TestApi::start("environment_create").await;
    let project = api.project("shop").await;

    let path = format!("/api/projects/{project}/environments");
    let created = api.post(&path, json!({ "branch": "feature/login" })).await;

    assert_eq!(created.status, StatusCode::ACCEPTED);
    assert_json_snapshot!(created.body, @r#"
    {
      "branch": "feature/login",
      "created_at": "2026-01-01T00:00:00Z",
      "host": "feature-login-shop",
      "id": "env_01kdvdna00e008000000000009",
      "kind": "persistent",
      "latest_deployment": {
        "build_id": "bld_01kdvdna00e00800000000000a",
        "commit": null,
        "created_at": "2026-01-01T00:00:00Z",
        "environment_id": "env_01kdvdna00e008000000000009",
        "id": "dep_01kdvdna00e00800000000000b",
        "kind": "brand_new",
        "project_id": "proj_01kdvdna00e008000000000007",
        "reason": null,
        "requested_by": "API key \"owner\"",
        "rollback_of": null,
        "state": "queued",
        "trigger": "created",
        "updated_at": "2026-01-01T00:00:00Z"
      },
      "live_deployment_id": null,
      "project_id": "proj_01kdvdna00e008000000000007",
      "reason": null,
      "refreshed_at": "2026-01-01T00:00:00Z",
      "state": "provisioning",
      "updated_at": "2026-01-01T00:00:00Z",
      "url": "http://feature-login-shop.localhost:8081",
      "wakes_on_request": false
    }
    "#);
    let location = created.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert_eq!(api.get(&location).await.body, created.body);
    assert_eq!(api.get(&path).await.body, json!([created.body]));
    let deployments = api.get(&format!("{location}/deployments")).await;
    assert_eq!(deployments.body, json!([created.body["latest_deployment"]]));
}

#[tokio::test]
async fn a_branch_has_one_environment() {
    let api = TestApi::start("environment_taken").await;
    let project = api.project("shop").await;
    api.environment(&project, "main").await;

    let path = format!("/api/projects/{project}/environments");
    let taken = api.post(&path, json!({ "branch": "main" })).await;

    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert_eq!(taken.body["code"], "taken");
}

#[tokio::test]
async fn rebuild_and_restart_are_the_same() {
    let api = TestApi::start("environment_rebuild").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;

    for name in ["rebuild", "restart"] {
        let path = format!("/api/environments/{environment}/{name}");
        let rebuilt = api.send(&api.owner, Method::POST, &path, None).await;
        assert_eq!(rebuilt.status, StatusCode::ACCEPTED);
        assert_eq!(rebuilt.body["trigger"], "rebuild");
        assert_eq!(rebuilt.body["state"], "queued");
    }
    let deployments = api.get(&format!("/api/environments/{environment}/deployments")).await;
    let states: Vec<_> =
        deployments.body.as_array().unwrap().iter().map(|found| &found["state"]).collect();
    assert_eq!(states, ["queued", "cancelled", "cancelled"]);
}

#[tokio::test]
async fn the_tag_tells_when_the_newest_deployment_has_moved_on() {
    let api = TestApi::start("environment_tag").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}");
    let before = api.get(&path).await.headers[header::ETAG].clone();

    api.clock.advance(chrono::TimeDelta::seconds(1));
    api.send(&api.owner, Method::POST, &format!("{path}/rebuild"), None).await;

    let request = TestApi::request(&api.owner, Method::GET, &path)
        .header(header::IF_NONE_MATCH, &before)
        .body(Body::empty());
    let after = api.answer(request.unwrap()).await;
    assert_eq!(after.status, StatusCode::OK);
    assert_ne!(after.headers[header::ETAG], before);
}

#[tokio::test]
async fn destroying_heeds_the_version_and_happens_once() {
    let api = TestApi::start("environment_destroy").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}/destroy");
    let destroy = async |tag: &str| {
        let request = TestApi::request(&api.owner, Method::POST, &path)
            .header(header::IF_MATCH, tag)
            .body(Body::empty());
        api.answer(request.unwrap()).await
    };

    assert_eq!(destroy("\"9\"").await.status, StatusCode::PRECONDITION_FAILED);
    let destroyed = destroy("\"1.5\"").await;
    assert_eq!(destroyed.status, StatusCode::ACCEPTED, "{}", destroyed.body);
    assert_eq!(destroyed.body["state"], "destroying");
    let rebuild = format!("/api/environments/{environment}/rebuild");
    let refused = api.send(&api.owner, Method::POST, &rebuild, None).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::CONFLICT, &json!("wrong_state"))
    );
}

#[tokio::test]
async fn the_branch_is_checked() {
    let api = TestApi::start("environment_branch").await;
    let project = api.project("shop").await;
    let path = format!("/api/projects/{project}/environments");

    let refused = api.post(&path, json!({ "branch": "--upload-pack=touch /tmp/x" })).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["fields"][0]["field"], "branch");
    let environment = api.post(&path, json!({ "branch": "main" })).await;
    assert!(id(&environment).starts_with("env_"));
}
