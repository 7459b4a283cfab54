//! Tokens: made, used, narrowed, listed and revoked.

use axum::http::{Method, StatusCode, header};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use windlass_auth::{Narrowing, Permission, attenuate, inspect};
use windlass_domain::OsEntropy;

use crate::harness::{Answer, TestApi, id};

async fn create(api: &TestApi, body: Value) -> Answer {
    let created = api.post("/api/auth/tokens", body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    created
}

/// A token of the owner.
async fn token(api: &TestApi, body: Value) -> String {
    create(api, body).await.body["token"].as_str().unwrap().to_owned()
}

fn narrow(token: &str, narrowing: &Narrowing) -> String {
    attenuate(token, narrowing, &OsEntropy).unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let api = TestApi::start("token_life").await;
    let mut created = create(&api, json!({ "label": "status page", "read_only": true })).await;
    let token = created.body.as_object_mut().unwrap().remove("token").unwrap();
    let token = token.as_str().unwrap();
    assert_eq!(created.body["revocation_id"], inspect(token).unwrap().blocks[0].revocation_id);
    created.body["revocation_id"] = json!("128 digits");
    assert_json_snapshot!(created.body, @r#"
    {
      "created_at": "2026-01-01T00:00:00Z",
      "created_by": "usr_01kdvdna00e008000000000002",
      "expires_at": "2028-09-27T00:00:00Z",
      "id": "tok_01kdvdna00e008000000000009",
      "kind": "token",
      "label": "status page",
      "revocation_id": "128 digits",
      "revoked_at": null,
      "status": "active"
    }
    "#);

    let listed = api.get("/api/auth/tokens").await;
    assert_eq!(listed.body[0]["id"], created.body["id"]);
    assert!(!listed.body.to_string().contains(token));

    let read = async || api.send(token, Method::GET, "/api/projects", None).await;
    assert_eq!(read().await.status, StatusCode::OK);
    let path = format!("/api/auth/tokens/{}", id(&created));
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    let refused = read().await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.body["message"], "Invalid or expired token");
    let challenge = &refused.headers[header::WWW_AUTHENTICATE];
    assert!(challenge.to_str().unwrap().contains("error=\"invalid_token\""), "{challenge:?}");
    assert_eq!(api.get("/api/auth/tokens").await.body[0]["status"], "revoked");
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_token_says_who_it_is() {
    let api = TestApi::start("token_whoami").await;
    let project = api.project("shop").await;
    let body = json!({
        "label": "logs",
        "permissions": ["logs:read"],
        "project_ids": [project],
        "expires_in_seconds": 3600,
    });
    let token = token(&api, body).await;
    let me = api.send(&token, Method::GET, "/api/auth/me", None).await;
    assert_json_snapshot!(me.body["credential"], @r#"
    {
      "allowed_addresses": null,
      "expires_at": "2026-01-01T01:00:00Z",
      "id": "tok_01kdvdna00e00800000000000b",
      "kind": "token",
      "name": "logs",
      "permissions": [
        "logs:read"
      ],
      "prefix": null,
      "project_ids": [
        "proj_01kdvdna00e008000000000007"
      ],
      "scopes": null
    }
    "#);
}

#[tokio::test]
async fn a_narrowed_token_says_what_is_left_of_it_and_nothing_elsewhere() {
    let api = TestApi::start("token_narrow_whoami").await;
    let body = json!({ "label": "all", "permissions": ["logs:read", "projects:read"] });
    let parent = token(&api, body).await;
    let permissions = Some(vec![Permission::ProjectsRead]);
    let child = narrow(&parent, &Narrowing { permissions, ..Narrowing::default() });
    let whoami = async |token: &str| api.send(token, Method::GET, "/api/auth/me", None).await;
    for (token, left) in
        [(&parent, json!(["projects:read", "logs:read"])), (&child, json!(["projects:read"]))]
    {
        assert_eq!(whoami(token).await.body["credential"]["permissions"], left);
    }

    let allowed_addresses = Some(vec!["192.0.2.0/24".parse().unwrap()]);
    let bound = narrow(&child, &Narrowing { allowed_addresses, ..Narrowing::default() });
    let refused = whoami(&bound).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["code"], "address_not_allowed");
    assert_eq!(refused.body["message"], "Token may not be used from this address");
    let noted = api.get("/api/audit?outcome=refused").await;
    assert_eq!(noted.body[0]["actor"]["kind"], "token");
    let revoked = api.post("/api/auth/tokens/revoke", json!({ "token": bound })).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "wherever it works");
}

#[tokio::test]
async fn a_token_for_looking_changes_nothing_and_says_what_it_lacks() {
    let api = TestApi::start("token_read_only").await;
    let token = token(&api, json!({ "label": "looking", "read_only": true })).await;
    let body = json!({ "name": "new", "github_repo": "o/new" });
    let refused = api.send(&token, Method::POST, "/api/projects", Some(body)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["message"], "Token does not have 'projects:write' scope");
    assert!(api.get("/api/projects").await.body.as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_narrowed_token_sees_one_project_in_every_list() {
    let api = TestApi::start("token_narrowed").await;
    let (ours, theirs) = (api.project("ours").await, api.project("theirs").await);
    let parent = token(&api, json!({ "label": "all" })).await;
    let projects = Some(vec![ours.parse().unwrap()]);
    let child = narrow(&parent, &Narrowing { projects, ..Narrowing::default() });

    let listed = api.send(&child, Method::GET, "/api/projects", None).await;
    assert_eq!(listed.body.as_array().unwrap().len(), 1);
    assert_eq!(listed.body[0]["id"], ours);
    for (project, status) in [(ours, StatusCode::OK), (theirs, StatusCode::NOT_FOUND)] {
        let path = format!("/api/projects/{project}");
        assert_eq!(api.send(&child, Method::GET, &path, None).await.status, status);
    }
    let body = json!({ "name": "new", "github_repo": "o/new" });
    let refused = api.send(&child, Method::POST, "/api/projects", Some(body)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_never_has_more_than_the_credential_that_made_it() {
    let api = TestApi::start("token_broader").await;
    let key = api.key_with(&["tokens:write", "projects:read"]).await;
    let created = async |body| api.send(&key, Method::POST, "/api/auth/tokens", Some(body)).await;
    let refused = created(json!({ "label": "more", "permissions": ["projects:write"] })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let as_much = created(json!({ "label": "as much" })).await;
    let token = as_much.body["token"].as_str().unwrap();
    let me = api.send(token, Method::GET, "/api/auth/me", None).await;
    assert_eq!(me.body["credential"]["permissions"], json!(["projects:read", "tokens:write"]));
    for path in ["/api/auth/tokens", "/api/auth/api-keys"] {
        let body = match path {
            "/api/auth/tokens" => json!({ "label": "again" }),
            _ => json!({ "name": "again", "scopes": [] }),
        };
        let refused = api.send(token, Method::POST, path, Some(body)).await;
        assert_ne!(refused.status, StatusCode::CREATED, "{path}: narrow it instead");
    }
}

#[tokio::test]
async fn a_token_that_would_cost_too_much_is_not_called_invalid() {
    let api = TestApi::start("token_cost").await;
    let token = token(&api, json!({ "label": "all" })).await;
    let facts = (0..200).fold(String::new(), |source, n| source + &format!("a({n});"));
    let code = format!("{facts} check if a($x), a($y), a($z), $x + $y + $z == 1;");
    let block = biscuit_auth::BlockBuilder::new().code(&code).unwrap();
    let token = biscuit_auth::UnverifiedBiscuit::from_base64(&token).unwrap().append(block);
    let token = token.unwrap().to_base64().unwrap();

    let undecided = api.send(&token, Method::GET, "/api/projects", None).await;
    assert_eq!(undecided.status, StatusCode::SERVICE_UNAVAILABLE, "{}", undecided.body);
    assert!(undecided.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn an_expired_token_says_so_in_the_list_and_opens_nothing() {
    let api = TestApi::start("token_expired").await;
    let token = token(&api, json!({ "label": "brief", "expires_in_seconds": 60 })).await;
    let read = async || api.send(&token, Method::GET, "/api/projects", None).await.status;
    assert_eq!(read().await, StatusCode::OK);
    api.clock.advance(TimeDelta::seconds(60));
    assert_eq!(read().await, StatusCode::UNAUTHORIZED);
    assert_eq!(api.get("/api/auth/tokens").await.body[0]["status"], "expired");
}

#[tokio::test]
async fn a_token_is_revoked_by_showing_it() {
    let api = TestApi::start("token_presented").await;
    let parent = token(&api, json!({ "label": "all" })).await;
    let narrowing =
        Narrowing { permissions: Some(vec![Permission::ProjectsRead]), ..Narrowing::default() };
    let child = narrow(&parent, &narrowing);
    let read = async |token: &str| api.send(token, Method::GET, "/api/projects", None).await.status;
    assert_eq!(read(&child).await, StatusCode::OK);

    let revoked = api.post("/api/auth/tokens/revoke", json!({ "token": child })).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(read(&child).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read(&parent).await, StatusCode::OK);
    let again = api.post("/api/auth/tokens/revoke", json!({ "token": child })).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!again.body.to_string().contains(&child));
}

#[tokio::test]
async fn wrong_fields_are_told_at_once() {
    let api = TestApi::start("token_fields").await;
    let body = json!({
        "label": "",
        "permissions": ["projects:read", "root"],
        "project_ids": ["proj_1"],
        "allowed_addresses": ["10.0.0.0/33"],
        "expires_in_seconds": 0,
    });
    let refused = api.post("/api/auth/tokens", body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = refused.body["fields"].as_array().unwrap();
    let names: Vec<&Value> = fields.iter().map(|field| &field["field"]).collect();
    let expected =
        ["label", "permissions.1", "project_ids.0", "allowed_addresses.0", "expires_in_seconds"];
    assert_eq!(names, expected);
    let key = json!({ "name": "brief", "scopes": ["admin"], "expires_at": "2026-01-01T01:00:00Z" });
    let key = api.post("/api/auth/api-keys", key).await;
    let key = key.body["key"].as_str().unwrap();
    let body = json!({ "label": "long", "expires_in_seconds": 7200 });
    let late = api.send(key, Method::POST, "/api/auth/tokens", Some(body)).await;
    assert_eq!(late.body["fields"][0]["field"], "expires_in_seconds");
}
