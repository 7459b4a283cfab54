//! API keys where clients of Norrix look for them.

use axum::http::{Method, StatusCode, header};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::harness::{TestApi, id};

#[tokio::test]
async fn they_are_the_same_keys_in_camel_case() {
    let api = TestApi::start("norrix_keys").await;
    let project = api.project("shop").await;
    let mut created = api
        .post(
            "/api/api-keys",
            json!({
                "name": "GitHub Actions",
                "projectIds": [project],
                "allowedAddresses": ["203.0.113.7/32"],
                "expiresAt": "2027-01-01T00:00:00Z",
            }),
        )
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let key = created.body.as_object_mut().unwrap().remove("key").unwrap();
    let listed = api.get("/api/api-keys?limit=1").await;
    assert_eq!(listed.body[0], created.body);
    assert!(listed.headers.contains_key("x-next-cursor"));
    assert!(!listed.body.to_string().contains(key.as_str().unwrap()));
    let here = api.get("/api/auth/api-keys").await;
    assert_eq!(here.body[0]["id"], created.body["id"]);
    assert_eq!(here.body[0]["allowed_addresses"], json!(["203.0.113.7"]));
    created.body["prefix"] = json!("the first characters");
    assert_json_snapshot!(created.body, @r#"
    {
      "allowedAddresses": [
        "203.0.113.7"
      ],
      "createdAt": "2026-01-01T00:00:00Z",
      "createdBy": "usr_01kdvdna00e008000000000002",
      "expiresAt": "2027-01-01T00:00:00Z",
      "id": "key_01kdvdna00e008000000000009",
      "lastUsedAt": null,
      "name": "GitHub Actions",
      "prefix": "the first characters",
      "projectIds": [
        "proj_01kdvdna00e008000000000007"
      ],
      "revokedAt": null,
      "scopes": [
        "build",
        "submit",
        "update"
      ],
      "status": "active"
    }
    "#);

    let path = format!("/api/api-keys?id={}", id(&created));
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    let listed = api.get("/api/api-keys").await;
    assert_eq!(listed.body[0]["status"], "revoked", "it stays in the list");
    for missing in ["key_1", "key_01kdvdna000000000000000009"] {
        let refused = api.delete(&format!("/api/api-keys?id={missing}")).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(api.delete("/api/api-keys").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_empty_list_of_scopes_is_not_the_usual_ones() {
    let api = TestApi::start("norrix_empty").await;
    let created = api.post("/api/api-keys", json!({ "name": "none", "scopes": [] })).await;
    assert_eq!(created.body["scopes"], json!([]));
    let refused = api.post("/api/api-keys", json!({ "name": "none", "scopes": null })).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "nor is `null`");
}

#[tokio::test]
async fn who_lacks_the_permission_is_told_of_the_admin_scope() {
    let api = TestApi::start("norrix_scope").await;
    let key = api.key_with(&["build"]).await;

    let refused = api.send(&key, Method::GET, "/api/api-keys", None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused.headers[header::WWW_AUTHENTICATE],
        "Bearer error=\"insufficient_scope\", scope=\"admin\""
    );
    assert_json_snapshot!(refused.body, @r#"
    {
      "code": "insufficient_scope",
      "error": "Forbidden",
      "message": "API key does not have 'admin' scope",
      "request_id": "test"
    }
    "#);

    // What a new key would have too much of goes by its own name.
    let maker = api.key_with(&["api_keys:write"]).await;
    let body = json!({ "name": "more", "scopes": ["build"] });
    let broader = api.send(&maker, Method::POST, "/api/api-keys", Some(body)).await;
    assert_eq!(broader.body["message"], "API key does not have 'builds:read' scope");
}

#[tokio::test]
async fn wrong_fields_are_named_as_they_are_spelt() {
    let api = TestApi::start("norrix_fields").await;
    let body = json!({
        "name": "x",
        "projectIds": ["proj_1"],
        "allowedAddresses": ["nowhere"],
        "expiresAt": "tomorrow",
    });
    let refused = api.post("/api/api-keys", body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = refused.body["fields"].as_array().unwrap();
    let names: Vec<&Value> = fields.iter().map(|field| &field["field"]).collect();
    assert_eq!(names, ["projectIds.0", "allowedAddresses.0", "expiresAt"]);
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.contains("projectIds.0 ") && !message.contains("project_ids"), "{message}");

    let past = json!({ "name": "late", "expiresAt": "2025-12-31T00:00:00Z" });
    let past = api.post("/api/api-keys", past).await;
    assert_eq!(past.body["fields"][0]["field"], "expiresAt");
    let snake = json!({ "name": "x", "expires_at": "2027-01-01T00:00:00Z" });
    assert_eq!(api.post("/api/api-keys", snake).await.status, StatusCode::BAD_REQUEST);
}
