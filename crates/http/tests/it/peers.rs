//! Published flaws of others, about keys and tokens: none of them is one of ours.
//!
//! Those where a route forgot to ask at all, or an identifier of another tenant's was enough
//! (CVE-2026-43917 and CVE-2026-45632 of Dokploy, CVE-2026-48742 of Coolify), are what the
//! authorization matrix is for.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::harness::{TestApi, id};

/// Everything that lists what could be made behind somebody's back.
async fn keys(api: &TestApi) -> Vec<Value> {
    api.get("/api/auth/api-keys").await.body.as_array().unwrap().clone()
}

/// CVE-2025-61928 (better-auth): whoever named a user in the body got a key of theirs, with no
/// credential at all.
#[tokio::test]
async fn no_body_says_whose_key_is_made() {
    let api = TestApi::start("peers_whose").await;
    let me = api.get("/api/auth/me").await.body;
    let before = keys(&api).await;
    for name in ["userId", "user_id", "created_by", "createdBy", "organization_id", "orgId"] {
        for path in ["/api/auth/api-keys", "/api/api-keys", "/api/auth/tokens"] {
            let body = json!({ "name": "x", "scopes": [], name: me["user"]["id"] });
            let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
            let request = request.body(Body::from(body.to_string())).unwrap();
            assert_eq!(api.answer(request).await.status, StatusCode::UNAUTHORIZED, "{path} {name}");
            let refused = api.post(path, body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {name}: {}", refused.body);
        }
    }
    assert_eq!(keys(&api).await, before);
}

/// CVE-2026-28744 and GHSA-683j-3ff6-hh2x (Gitea): under another scheme than usual, a token was
/// not held to its scopes, or taken for a password.
#[tokio::test]
async fn a_credential_elsewhere_than_behind_bearer_opens_nothing() {
    let api = TestApi::start("peers_scheme").await;
    let key = &api.owner;
    let basic = |text: String| format!("Basic {}", BASE64_STANDARD.encode(text));
    let headers = [
        (header::AUTHORIZATION.as_str(), basic(format!("{key}:x-oauth-basic"))),
        (header::AUTHORIZATION.as_str(), basic(format!("owner:{key}"))),
        (header::AUTHORIZATION.as_str(), format!("token {key}")),
        (header::AUTHORIZATION.as_str(), format!("ApiKey {key}")),
        (header::AUTHORIZATION.as_str(), key.clone()),
        (header::PROXY_AUTHORIZATION.as_str(), format!("Bearer {key}")),
        ("x-api-key", key.clone()),
        ("apikey", key.clone()),
        ("x-auth-token", key.clone()),
        ("x-webauth-user", "owner".to_owned()),
        ("x-forwarded-user", "owner".to_owned()),
        (header::COOKIE.as_str(), format!("token={key}; access_token={key}")),
    ];
    for (name, value) in headers {
        let request = Request::get("/api/projects").header(name, &value).body(Body::empty());
        let refused = api.answer(request.unwrap()).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    for name in ["token", "access_token", "apikey", "api_key", "key"] {
        let request = Request::get(format!("/api/projects?{name}={key}")).body(Body::empty());
        let refused = api.answer(request.unwrap()).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "?{name}=");
    }
}

/// GHSA-m2hx-wjxc-9fp4 (Gokapi): a key that lived shortly could have what its maker did not.
#[tokio::test]
async fn a_short_life_buys_no_permission() {
    let api = TestApi::start("peers_short").await;
    let maker = api.key_with(&["api_keys:write", "tokens:write"]).await;
    let soon = "2026-01-01T00:00:01Z";
    let body = json!({ "name": "short", "scopes": ["projects:write"], "expires_at": soon });
    let refused = api.send(&maker, Method::POST, "/api/auth/api-keys", Some(body)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    let body =
        json!({ "label": "short", "permissions": ["projects:write"], "expires_in_seconds": 1 });
    let refused = api.send(&maker, Method::POST, "/api/auth/tokens", Some(body)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
}

/// CVE-2025-68941 and CVE-2026-24791 (Gitea): routes about oneself forgot what a token was bound
/// to. Here the only one of these tells what the credential is, and nothing else.
#[tokio::test]
async fn a_route_about_oneself_tells_a_bound_key_of_nothing_but_itself() {
    let api = TestApi::start("peers_self").await;
    let (ours, theirs) = (api.project("ours").await, api.project("theirs").await);
    let body = json!({ "name": "bound", "scopes": ["read"], "project_ids": [ours] });
    let created = api.post("/api/auth/api-keys", body).await;
    let bound = created.body["key"].as_str().unwrap();
    let other = id(&api.post("/api/auth/api-keys", json!({ "name": "x", "scopes": [] })).await);

    let me = api.send(bound, Method::GET, "/api/auth/me", None).await;
    assert_eq!(me.status, StatusCode::OK);
    let told = me.body.to_string();
    assert!(!told.contains(&theirs) && !told.contains(&other), "{told}");
    for path in ["/api/auth/api-keys", "/api/api-keys", "/api/auth/tokens"] {
        let listed = api.send(bound, Method::GET, path, None).await;
        assert_eq!(listed.status, StatusCode::FORBIDDEN, "{path}");
    }
}
