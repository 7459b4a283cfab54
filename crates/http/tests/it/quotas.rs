//! What the organization uses and may use.

use axum::http::StatusCode;
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::json;
use windlass_domain::{BuildId, BuildResult, Clock as _, Organization, Usage};

use crate::harness::TestApi;

/// Gives the organization another plan, as an operator does.
async fn give_plan(api: &TestApi, plan: &str) {
    let mut uow = api.store.write().await.unwrap();
    let organization = uow.organizations().first_of_everyone().await.unwrap().unwrap();
    let organization = Organization { plan: Some(plan.parse().unwrap()), ..organization };
    uow.organizations().update(&organization).await.unwrap();
    uow.commit().await.unwrap();
}

/// Lets the newest build of an environment take so long, past the API.
async fn build_for(api: &TestApi, environment: &str, minutes: u64) {
    let environment = api.get(&format!("/api/environments/{environment}")).await.body;
    let build = environment["latest_deployment"]["build_id"].as_str().unwrap();
    let build: BuildId = build.parse().unwrap();
    let mut uow = api.store.write().await.unwrap();
    let organization = uow.organizations().first_of_everyone().await.unwrap().unwrap();
    let found = uow.builds().find_for_update(organization.id, build).await.unwrap().unwrap();
    let now = api.clock.now();
    let running = found.start("a".repeat(40).parse().unwrap(), now).unwrap();
    let usage = Usage { wall_millis: minutes * 60_000 + 59_999, ..Usage::default() };
    let ended = running.end(BuildResult::Built, "", usage, now).unwrap();
    uow.builds().update(&ended).await.unwrap();
    uow.commit().await.unwrap();
}

#[tokio::test]
async fn the_quota_has_the_seed_s_shape_and_begins_anew_with_the_month() {
    let api = TestApi::start("quota").await;
    give_plan(&api, "small").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    build_for(&api, &environment, 7).await;
    let quota = api.get("/api/quota").await;
    assert_json_snapshot!(quota.body, @r#"
    {
      "limits": {
        "build_minutes": 7,
        "max_cpu": 2.5,
        "max_memory_mb": 1024,
        "max_projects": 1
      },
      "plan": "small",
      "usage": {
        "build_minutes_used": 7,
        "projects": 1,
        "total_cpu": 1.0,
        "total_memory_mb": 256
      }
    }
    "#);

    let refused = api.post(&format!("/api/environments/{environment}/rebuild"), json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert_eq!(refused.body["code"], "quota_exceeded");
    let message = "the organization's plan `small` allows 7 build minutes a month, and 7 are used: \
                   builds go on next month";
    assert_eq!(refused.body["message"], message);
    api.clock.advance(TimeDelta::days(31));
    assert_eq!(api.get("/api/quota").await.body["usage"]["build_minutes_used"], 0);
    let rebuilt = api.post(&format!("/api/environments/{environment}/rebuild"), json!({})).await;
    assert_eq!(rebuilt.status, StatusCode::ACCEPTED, "{}", rebuilt.body);
}

#[tokio::test]
async fn a_refused_project_is_not_there_and_one_that_goes_makes_room() {
    let api = TestApi::start("quota_room").await;
    give_plan(&api, "small").await;
    let first = api.project("first").await;
    let second = json!({ "name": "second", "git_url": "https://example.com/second.git" });
    let refused = api.post("/api/projects", second.clone()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert_eq!(refused.body["code"], "quota_exceeded");
    assert_eq!(api.get("/api/projects").await.body.as_array().map(Vec::len), Some(1));

    api.delete(&format!("/api/projects/{first}")).await;
    let made = api.post("/api/projects", second).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

#[tokio::test]
async fn a_plan_that_is_not_configured_any_more_is_everybody_s() {
    let api = TestApi::start("quota_gone").await;
    give_plan(&api, "gone").await;
    let quota = api.get("/api/quota").await.body;
    assert_eq!(quota["plan"], "unlimited");
    assert_eq!(quota["limits"]["max_projects"], 2_147_483_647);
    assert_eq!(quota["limits"]["build_minutes"], 2_147_483_647);
}
