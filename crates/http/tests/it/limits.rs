//! How often somebody may ask.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::json;
use windlass_auth::KeyFormat;
use windlass_domain::OsEntropy;
use windlass_http::{Peer, RateLimits};

use crate::{
    flaky::Mood,
    harness::{Answer, TestApi},
};

const FLOODED: &str = "203.0.113.7";

fn limits(per_credential: u32, per_address: u32) -> RateLimits {
    RateLimits {
        per_credential: NonZeroU32::new(per_credential),
        per_address: NonZeroU32::new(per_address),
    }
}

async fn get_from(api: &TestApi, address: &str, path: &str, key: Option<&str>) -> Answer {
    let address: IpAddr = address.parse().unwrap();
    let mut request = Request::get(path)
        .header("X-Request-Id", "test")
        .extension(Peer(SocketAddr::new(address, 4711)));
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    api.answer(request.body(Body::empty()).unwrap()).await
}

fn told(headers: &HeaderMap) -> (&str, &str) {
    let text = |name| headers.get(name).map_or("", |value| value.to_str().unwrap());
    (text("ratelimit-policy"), text("ratelimit"))
}

fn unknown_key() -> String {
    KeyFormat::default().generate(&OsEntropy).key.expose().to_owned()
}

#[tokio::test]
async fn a_credential_has_so_many_requests_a_minute_and_is_told_so() {
    let api = TestApi::start_limited("limit_credential", limits(60, 0)).await;
    let first = api.get("/api/auth/me").await;
    assert_eq!(told(&first.headers), ("\"credential\";q=60;w=60", "\"credential\";r=59;t=1"));
    for _ in 0..58 {
        api.get("/api/auth/me").await;
    }
    let other = api.key_with(&[]).await;
    let missing = api.get("/api/projects/proj_1").await;
    assert_eq!(missing.status, StatusCode::TOO_MANY_REQUESTS, "the 61st");
    assert_eq!(told(&missing.headers).1, "\"credential\";r=0;t=1");
    assert_eq!(missing.headers[header::RETRY_AFTER], "1");
    assert_json_snapshot!(missing.body, @r#"
    {
      "code": "too_many_requests",
      "error": "Too Many Requests",
      "message": "too many requests, try again later",
      "request_id": "test"
    }
    "#);
    let other = api.send(&other, Method::GET, "/api/auth/me", None).await;
    assert_eq!(other.status, StatusCode::OK, "each has its own");

    api.clock.advance(TimeDelta::seconds(1));
    let missing = api.get("/api/projects/proj_1").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(told(&missing.headers).1, "\"credential\";r=0;t=60", "refusals count and say so");
    assert_eq!(api.get("/api/auth/me").await.status, StatusCode::TOO_MANY_REQUESTS);
    api.clock.advance(TimeDelta::minutes(1));
    assert_eq!(told(&api.get("/api/auth/me").await.headers).1, "\"credential\";r=59;t=1");
}

#[tokio::test]
async fn a_flood_of_wrong_keys_is_stopped_before_anything_is_looked_up() {
    let api = TestApi::start_limited("limit_flood", limits(0, 3)).await;
    let owner = api.owner.clone();
    assert_eq!(get_from(&api, FLOODED, "/api/auth/me", Some(&owner)).await.status, StatusCode::OK);
    for _ in 0..2 {
        let refused = get_from(&api, FLOODED, "/api/auth/me", Some(&unknown_key())).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(told(&refused.headers).0, "\"address\";q=3;w=60");
    }

    // Whoever looked into the database would fail.
    api.flaky.set(Mood::Broken);
    let stopped = get_from(&api, FLOODED, "/api/auth/me", Some(&unknown_key())).await;
    assert_eq!(stopped.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(stopped.headers[header::RETRY_AFTER], "20");
    let neighbour = get_from(&api, "203.0.113.8", "/api/auth/me", Some(&unknown_key())).await;
    assert_eq!(neighbour.status, StatusCode::SERVICE_UNAVAILABLE, "others are looked for");
    api.flaky.set(Mood::Fine);

    let known = get_from(&api, FLOODED, "/api/auth/me", Some(&owner)).await;
    assert_eq!(known.status, StatusCode::OK, "a key that is known passes");
    assert_eq!(told(&known.headers), ("", ""), "and counts for nobody's address");
}

#[tokio::test]
async fn whoever_shows_nothing_or_no_token_counts_for_the_address() {
    let api = TestApi::start_limited("limit_nothing", limits(0, 4)).await;
    let created = api.post("/api/auth/tokens", json!({ "label": "all" })).await;
    let token = created.body["token"].as_str().unwrap();
    let spoilt = format!("{token}AAAA");
    for (key, expected) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("wls_mistyped"), StatusCode::UNAUTHORIZED),
        (Some(token), StatusCode::OK),
        (Some(spoilt.as_str()), StatusCode::UNAUTHORIZED),
        (Some(spoilt.as_str()), StatusCode::UNAUTHORIZED),
        (Some(spoilt.as_str()), StatusCode::TOO_MANY_REQUESTS),
        (None, StatusCode::TOO_MANY_REQUESTS),
        (Some(token), StatusCode::OK),
    ] {
        let answer = get_from(&api, FLOODED, "/api/auth/me", key).await;
        assert_eq!(answer.status, expected, "{key:?}");
    }
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_address() {
    let api = TestApi::start_limited("limit_ipv6", limits(0, 2)).await;
    let status = async |address: &str| get_from(&api, address, "/api/projects", None).await.status;
    assert_eq!(status("2001:db8::1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("2001:db8::ffff:2").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("2001:db8::3").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status("2001:db8:0:1::1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("::ffff:203.0.113.7").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("203.0.113.7").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("203.0.113.7").await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn health_and_documentation_answer_as_often_as_they_are_asked() {
    let api = TestApi::start_limited("limit_health", limits(1, 1)).await;
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs/"] {
        for _ in 0..3 {
            let answer = get_from(&api, FLOODED, path, None).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert_eq!(told(&answer.headers), ("", ""), "{path}");
        }
    }
}

#[tokio::test]
async fn a_log_that_is_followed_counts_once() {
    let api = TestApi::start_limited("limit_log", limits(10, 0)).await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}/logs?follow=true");
    let request = TestApi::request(&api.owner, Method::GET, &path)
        .header(header::ACCEPT, "text/event-stream")
        .body(Body::empty());
    let followed = api.raw(request.unwrap()).await;
    assert_eq!(told(followed.headers()).1, "\"credential\";r=7;t=18");
    let next = api.get("/api/auth/me").await;
    assert_eq!(told(&next.headers).1, "\"credential\";r=6;t=24");
}
