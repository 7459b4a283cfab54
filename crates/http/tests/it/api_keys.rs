//! API keys: made, listed, revoked, and asked who they are.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::harness::{TestApi, id};

#[tokio::test]
async fn a_key_is_shown_once_and_works_until_it_is_revoked() {
    let api = TestApi::start("api_key_life").await;
    let project = api.project("shop").await;

    let mut created = api
        .post(
            "/api/auth/api-keys",
            json!({
                "name": "ci",
                "scopes": ["read", "deployments:write"],
                "project_ids": [project],
                "expires_at": "2027-01-01T00:00:00+01:00",
            }),
        )
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let key = created.body.as_object_mut().unwrap().remove("key").unwrap();
    let key = key.as_str().unwrap();
    let prefix = created.body["prefix"].as_str().unwrap();
    assert!(key.starts_with(prefix), "{prefix}");
    created.body["prefix"] = json!("the first characters");
    assert_json_snapshot!(created.body, @r#"
    {
      "allowed_addresses": null,
      "created_at": "2026-01-01T00:00:00Z",
      "created_by": "usr_01kdvdna00e008000000000002",
      "expires_at": "2026-12-31T23:00:00Z",
      "id": "key_01kdvdna00e008000000000009",
      "last_used_at": null,
      "name": "ci",
      "prefix": "the first characters",
      "project_ids": [
        "proj_01kdvdna00e008000000000007"
      ],
      "revoked_at": null,
      "scopes": [
        "read",
        "deployments:write"
      ],
      "status": "active"
    }
    "#);

    let listed = api.get("/api/auth/api-keys").await;
    assert_eq!(listed.body[0]["id"], created.body["id"]);
    assert!(!listed.body.to_string().contains(key));

    let read = async || api.send(key, Method::GET, "/api/projects", None).await.status;
    assert_eq!(read().await, StatusCode::OK);
    let path = format!("/api/auth/api-keys/{}", id(&created));
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(read().await, StatusCode::UNAUTHORIZED);
    let listed = api.get("/api/auth/api-keys").await;
    assert_eq!(listed.body[0]["status"], "revoked");
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_expired_key_says_so_in_the_list_and_opens_nothing() {
    let api = TestApi::start("api_key_expired").await;
    let body = json!({ "name": "brief", "scopes": ["read"], "expires_at": "2026-01-01T00:10:00Z" });
    let created = api.post("/api/auth/api-keys", body).await;
    assert_eq!(created.body["status"], "active");

    api.clock.advance(TimeDelta::minutes(10));

    let listed = api.get("/api/auth/api-keys").await;
    assert_eq!(listed.body[0]["status"], "expired");
    let key = created.body["key"].as_str().unwrap();
    let refused = api.send(key, Method::GET, "/api/projects", None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_never_makes_a_broader_one() {
    let api = TestApi::start("api_key_broader").await;
    let key = api.key_with(&["api_keys:write"]).await;

    let body = json!({ "name": "more", "scopes": ["admin"] });
    let refused = api.send(&key, Method::POST, "/api/auth/api-keys", Some(body)).await;

    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn wrong_fields_are_told_at_once() {
    let api = TestApi::start("api_key_fields").await;

    let refused = api
        .post(
            "/api/auth/api-keys",
            json!({
                "name": "",
                "scopes": ["read", "root"],
                "project_ids": ["proj_1"],
                "allowed_addresses": ["::1", "10.0.0.1/8"],
                "expires_at": "tomorrow",
            }),
        )
        .await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = refused.body["fields"].as_array().unwrap();
    let names: Vec<&Value> = fields.iter().map(|field| &field["field"]).collect();
    let wrong = ["name", "scopes.1", "project_ids.0", "allowed_addresses.1", "expires_at"];
    assert_eq!(names, wrong);
    let network = "has bits beyond the length of its prefix: the network is 10.0.0.0/8";
    assert_eq!(fields[3]["message"], network);
    let past = json!({ "name": "late", "scopes": [], "expires_at": "2025-12-31T00:00:00Z" });
    let past = api.post("/api/auth/api-keys", past).await;
    assert_eq!(past.body["fields"][0]["field"], "expires_at");
}

#[tokio::test]
async fn everybody_may_ask_who_they_are() {
    let api = TestApi::start("whoami").await;
    let key = api.key_with(&[]).await;

    let mut me = api.send(&key, Method::GET, "/api/auth/me", None).await;

    assert_eq!(me.status, StatusCode::OK);
    me.body["credential"]["prefix"] = json!("the first characters");
    assert_json_snapshot!(me.body, @r#"
    {
      "credential": {
        "allowed_addresses": null,
        "expires_at": null,
        "id": "key_01kdvdna00e008000000000007",
        "kind": "api_key",
        "name": "narrow",
        "permissions": [],
        "prefix": "the first characters",
        "project_ids": null,
        "scopes": []
      },
      "organizations": [
        {
          "id": "org_01kdvdna00e008000000000001",
          "name": "Default",
          "role": "owner"
        }
      ],
      "user": {
        "email": null,
        "id": "usr_01kdvdna00e008000000000002",
        "name": "Owner"
      }
    }
    "#);
}
