//! Environment variables: values go in and never come out.

use axum::http::StatusCode;
use insta::assert_json_snapshot;
use serde_json::json;

use crate::harness::{TestApi, id};

#[tokio::test]
async fn values_go_in_and_never_come_out() {
    let api = TestApi::start("env_vars").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/projects/{project}/env-vars");

    let long = api
        .put(&path, json!({ "key": "DATABASE_URL", "value": "postgres://db.example.com/app" }))
        .await;
    assert_eq!(long.status, StatusCode::OK);
    assert_eq!(long.body["value"], "********/app");
    let short = json!({ "key": "PIN", "value": "1234", "environment_id": environment });
    let short = api.put(&path, short).await;
    assert_eq!(short.body["value"], "********");
    assert_eq!(short.body["environment_id"], environment);

    let listed = api.get(&path).await;
    assert_eq!(listed.body, json!([short.body, long.body]));
    assert!(!listed.body.to_string().contains("postgres://"));

    let again = api.put(&path, json!({ "key": "DATABASE_URL", "value": "x" })).await;
    assert_eq!(id(&again), id(&long));
    assert_eq!(again.body["value"], "********");

    let var = format!("{path}/{}", id(&long));
    assert_eq!(api.delete(&var).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.delete(&var).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_no_process_can_be_given_is_refused() {
    let api = TestApi::start("env_vars_refused").await;
    let project = api.project("shop").await;
    let path = format!("/api/projects/{project}/env-vars");

    let refused = api
        .put(&path, json!({ "key": "LD_PRELOAD", "value": "a\u{0}b", "environment_id": "env_1" }))
        .await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_json_snapshot!(refused.body["fields"], @r#"
    [
      {
        "field": "key",
        "message": "is set by the platform and cannot be changed"
      },
      {
        "field": "value",
        "message": "must be at most 32768 bytes and contain no NUL character"
      },
      {
        "field": "environment_id",
        "message": "expected an identifier like `env_` followed by 26 of 0-9 and a-z"
      }
    ]
    "#);
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_not_repeated_in_the_error() {
    let api = TestApi::start("env_vars_type").await;
    let project = api.project("shop").await;
    let path = format!("/api/projects/{project}/env-vars");

    let refused = api.put(&path, json!({ "key": "PIN", "value": 123_456_789 })).await;

    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.body["message"], "`value`: expected a string");
}
