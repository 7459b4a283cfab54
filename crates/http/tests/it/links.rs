//! Links: one log, in any browser, and nothing else.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, TestApi};

/// What a browser asks for.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A deployment, and the environment that it is for.
async fn world(api: &TestApi) -> (String, String) {
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let deployments = api.get(&format!("/api/environments/{environment}/deployments")).await;
    (deployments.body[0]["id"].as_str().unwrap().to_owned(), environment)
}

async fn link(api: &TestApi, credential: &str, body: Value) -> String {
    let made = api.send(credential, Method::POST, "/api/links", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let url = made.body["url"].as_str().unwrap();
    url.strip_prefix("https://windlass.example.com").unwrap().to_owned()
}

/// Follows a link without any header but what a browser sends.
async fn open(api: &TestApi, address: &str) -> Answer {
    let request = Request::builder().uri(address).header(header::ACCEPT, BROWSER);
    api.answer(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_link_shows_a_log_in_a_browser() {
    let api = TestApi::start("link_browser").await;
    let (deployment, environment) = world(&api).await;
    for body in [json!({ "deployment_id": deployment }), json!({ "environment_id": environment })] {
        let address = link(&api, &api.owner, body).await;
        let shown = open(&api, &address).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
        let text = shown.headers[header::CONTENT_TYPE].to_str().unwrap();
        assert_eq!(text, "text/plain; charset=utf-8");
        assert_eq!(shown.headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn a_link_opens_nothing_else() {
    let api = TestApi::start("link_else").await;
    let (deployment, environment) = world(&api).await;
    let address = link(&api, &api.owner, json!({ "deployment_id": deployment })).await;
    let token = address.split_once("token=").unwrap().1;

    let other = format!("/api/environments/{environment}/logs?token={token}");
    assert_eq!(open(&api, &other).await.status, StatusCode::NOT_FOUND);
    for path in [
        "/api/projects".to_owned(),
        "/api/auth/me".to_owned(),
        format!("/api/deployments/{deployment}"),
        format!("/api/deployments/{deployment}/logs"),
    ] {
        let as_bearer = api.send(token, Method::GET, &path, None).await;
        assert_eq!(as_bearer.status, StatusCode::UNAUTHORIZED, "{path}");
        let in_address = open(&api, &format!("{path}?token={token}")).await;
        let is_the_log = path.ends_with("/logs");
        let expected = if is_the_log { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(in_address.status, expected, "{path}");
    }
}

#[tokio::test]
async fn an_api_key_does_not_belong_in_an_address() {
    let api = TestApi::start("link_key").await;
    let (deployment, _) = world(&api).await;
    let address = format!("/api/deployments/{deployment}/logs?token={}", api.owner);
    let refused = open(&api, &address).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(!refused.body.to_string().contains(&api.owner));
}

#[tokio::test]
async fn a_header_wins_over_a_link() {
    let api = TestApi::start("link_header").await;
    let (deployment, _) = world(&api).await;
    let address = link(&api, &api.owner, json!({ "deployment_id": deployment })).await;
    let refused = api.send("wls_wrong", Method::GET, &address, None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let address = address.replace("token=", "token=x");
    assert_eq!(api.get(&address).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_ends_by_itself_after_an_hour_or_when_it_was_told() {
    let api = TestApi::start("link_ends").await;
    let (deployment, _) = world(&api).await;
    let usual = link(&api, &api.owner, json!({ "deployment_id": deployment })).await;
    let body = json!({ "deployment_id": deployment, "expires_in_seconds": 60 });
    let brief = link(&api, &api.owner, body).await;
    assert_eq!(open(&api, &brief).await.status, StatusCode::OK);

    api.clock.advance(TimeDelta::seconds(60));
    let ended = open(&api, &brief).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ended.body["message"], "Invalid or expired token");
    assert_eq!(open(&api, &usual).await.status, StatusCode::OK);
    api.clock.advance(TimeDelta::hours(1));
    assert_eq!(open(&api, &usual).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_link_ends_with_the_key_that_made_it_and_when_it_is_revoked() {
    let api = TestApi::start("link_revoked").await;
    let (deployment, _) = world(&api).await;
    let body = json!({ "deployment_id": deployment });
    let key = json!({ "name": "sharing", "scopes": ["logs:read"] });
    let key = api.post("/api/auth/api-keys", key).await.body;
    let of_key = link(&api, key["key"].as_str().unwrap(), body.clone()).await;
    let token = api.post("/api/auth/tokens", json!({ "label": "sharing" })).await.body;
    let of_token = link(&api, token["token"].as_str().unwrap(), body.clone()).await;
    let revoked = link(&api, &api.owner, body).await;
    for address in [&of_key, &of_token, &revoked] {
        assert_eq!(open(&api, address).await.status, StatusCode::OK);
    }

    api.delete(&format!("/api/auth/api-keys/{}", key["id"].as_str().unwrap())).await;
    api.delete(&format!("/api/auth/tokens/{}", token["id"].as_str().unwrap())).await;
    let listed = api.get("/api/auth/tokens").await.body;
    assert_eq!((&listed[0]["kind"], &listed[1]["kind"]), (&json!("link"), &json!("token")));
    api.delete(&format!("/api/auth/tokens/{}", listed[0]["id"].as_str().unwrap())).await;
    for address in [&of_key, &of_token, &revoked] {
        assert_eq!(open(&api, address).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn only_whoever_may_read_a_log_shares_it() {
    let api = TestApi::start("link_refused").await;
    let (deployment, environment) = world(&api).await;
    let body = json!({ "deployment_id": deployment });
    let key = api.key_with(&["deployments:read"]).await;
    let refused = api.send(&key, Method::POST, "/api/links", Some(body)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let unknown = json!({ "deployment_id": "dep_01kdvdna00e008000000000000" });
    assert_eq!(api.post("/api/links", unknown).await.status, StatusCode::NOT_FOUND);
    let both = json!({ "deployment_id": deployment, "environment_id": environment });
    for body in [json!({}), both, json!({ "deployment_id": deployment, "expires_in_seconds": 0 })] {
        let refused = api.post("/api/links", body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}
