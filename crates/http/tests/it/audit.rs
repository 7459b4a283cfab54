//! The audit log: who did what, and what was refused.

mod changes;
mod refusals;

use std::net::SocketAddr;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use windlass_http::Peer;

use crate::{
    harness::{Answer, TestApi, id},
    matrix::callers::Presented,
};

/// Lines of the owner's log, newest first.
async fn log(api: &TestApi, query: &str) -> Vec<Value> {
    let listed = api.get(&format!("/api/audit?limit=200&{query}")).await;
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.body);
    listed.body.as_array().unwrap().clone()
}

/// Sends a request with a key under a name of its own, from an address.
async fn send_as(
    api: &TestApi,
    key: &str,
    method: &Method,
    path: &str,
    body: Option<Value>,
    name: &str,
) -> Answer {
    send_with(api, &Presented::bearer(key), method, path, body, name).await
}

/// The same with any credential.
async fn send_with(
    api: &TestApi,
    presented: &Presented,
    method: &Method,
    path: &str,
    body: Option<Value>,
    name: &str,
) -> Answer {
    let from: SocketAddr = "203.0.113.7:4711".parse().unwrap();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("X-Request-Id", name)
        .extension(Peer(from));
    let request = presented.add_to(request);
    let request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    api.answer(request.unwrap()).await
}

#[tokio::test]
async fn a_change_is_told_with_who_what_when_and_from_where() {
    let api = TestApi::start("audit_change").await;
    let body = json!({ "name": "shop", "github_repo": "octocat/shop" });
    send_as(&api, &api.owner, &Method::POST, "/api/projects", Some(body), "making").await;

    let mut lines = log(&api, "action=create_project").await;
    assert_eq!(lines.len(), 1);
    lines[0]["id"] = json!("aud_…");
    assert_json_snapshot!(lines[0], @r#"
    {
      "action": "create_project",
      "actor": {
        "credential_id": "key_01kdvdna00e008000000000003",
        "kind": "api_key",
        "label": "API key \"owner\"",
        "user_id": "usr_01kdvdna00e008000000000002"
      },
      "address": "203.0.113.7",
      "at": "2026-01-01T00:00:00Z",
      "id": "aud_…",
      "outcome": "done",
      "permission": "projects:write",
      "request_id": "making",
      "target": {
        "environment_id": null,
        "id": "proj_01kdvdna00e008000000000007",
        "kind": "project",
        "project_id": "proj_01kdvdna00e008000000000007"
      },
      "times": 1
    }
    "#);
    let installed = log(&api, "action=install").await;
    assert_eq!(installed[0]["actor"]["kind"], "operator");
}

#[tokio::test]
async fn the_log_is_filtered_and_paged() {
    let api = TestApi::start("audit_filters").await;
    let first = api.project("first").await;
    api.clock.advance(TimeDelta::minutes(1));
    let second = api.project("second").await;
    let key = json!({ "name": "narrow", "scopes": ["projects:read"] });
    let key = api.post("/api/auth/api-keys", key).await;
    let (key, key_id) = (key.body["key"].as_str().unwrap().to_owned(), id(&key));
    api.send(&key, Method::DELETE, &format!("/api/projects/{first}"), None).await;
    api.delete(&format!("/api/projects/{second}")).await;

    let actions = async |query: &str| -> Vec<String> {
        let lines = log(&api, query).await;
        lines.iter().map(|line| line["action"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["delete_project", "delete_project", "create_api_key", "create_project"];
    assert_eq!(actions("").await[..4], all);
    assert_eq!(actions(&format!("actor={key_id}")).await, ["delete_project"]);
    assert_eq!(actions("outcome=refused").await, ["delete_project"]);
    assert_eq!(actions(&format!("target={first}")).await, ["delete_project", "create_project"]);
    assert_eq!(actions("action=create_project&outcome=done").await.len(), 2);
    assert_eq!(actions("from=2026-01-01T00:01:00Z").await, all);
    assert_eq!(actions("to=2026-01-01T00:01:00Z").await, ["create_project", "install"]);
    let me = api.get("/api/auth/me").await;
    let me = me.body["user"]["id"].as_str().unwrap();
    assert_eq!(actions(&format!("actor={me}")).await.len(), 5);

    let page = api.get("/api/audit?action=create_project&limit=1").await;
    assert_eq!(page.body[0]["target"]["id"], second.as_str());
    let link = page.headers[header::LINK].to_str().unwrap();
    let next = link.strip_prefix('<').and_then(|link| link.split('>').next()).unwrap();
    let rest = api.get(next).await;
    assert_eq!(rest.body.as_array().unwrap().len(), 1);
    assert_eq!(rest.body[0]["target"]["id"], first.as_str());
    assert!(!rest.headers.contains_key(header::LINK));
}

#[tokio::test]
async fn a_filter_that_cannot_be_meant_is_refused() {
    let api = TestApi::start("audit_bad_filters").await;
    for query in [
        "actor=ada",
        "target=proj_1",
        "action=drop%20it",
        "outcome=maybe",
        "from=yesterday",
        "limit=0",
    ] {
        let refused = api.get(&format!("/api/audit?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let backwards = api.get("/api/audit?from=2026-01-02&to=2026-01-01").await;
    assert_eq!(backwards.body["fields"][0]["field"], "to");
}

#[tokio::test]
async fn the_log_of_an_organization_is_not_for_a_key_that_is_bound_to_a_project() {
    let api = TestApi::start("audit_bound").await;
    let project = api.project("shop").await;
    let body = json!({ "name": "bound", "scopes": ["admin"], "project_ids": [project] });
    let key = api.post("/api/auth/api-keys", body).await;
    let key = key.body["key"].as_str().unwrap();
    let refused = api.send(key, Method::GET, "/api/audit", None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
