//! `Idempotency-Key`: a request that was sent twice is carried out once.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    contract,
    flaky::Mood,
    harness::{Answer, TestApi, id},
    matrix::world::World,
};

async fn send(api: &TestApi, key: &str, path: &str, body: Value, name: &str) -> Answer {
    let request = TestApi::request(key, Method::POST, path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("Idempotency-Key", name)
        .body(Body::from(body.to_string()));
    api.answer(request.unwrap()).await
}

async fn create(api: &TestApi, name: &str) -> Answer {
    send(api, &api.owner, "/api/projects", project("shop"), name).await
}

fn project(name: &str) -> Value {
    json!({ "name": name, "github_repo": "octocat/shop" })
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

async fn count(api: &TestApi) -> usize {
    api.get("/api/projects").await.body.as_array().unwrap().len()
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_answered_as_before() {
    let api = TestApi::start("once_again").await;
    let first = create(&api, "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert!(!is_replayed(&first));

    let again = create(&api, "8e03978e-40d5-43dd-bc93-6894a57f9324").await;
    assert!(is_replayed(&again));
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for name in [header::ETAG, header::CONTENT_TYPE] {
        assert_eq!(again.headers.get(&name), first.headers.get(&name), "{name}");
    }
    assert_eq!(count(&api).await, 1);

    let other = create(&api, "another-name").await;
    assert_eq!((other.status, count(&api).await), (StatusCode::CREATED, 2));
    api.clock.advance(TimeDelta::hours(24));
    let next_day = create(&api, "another-name").await;
    assert!(!is_replayed(&next_day));
    assert_eq!((next_day.status, count(&api).await), (StatusCode::CREATED, 3));
}

#[tokio::test]
async fn a_name_is_for_one_request_of_one_credential() {
    let api = TestApi::start("once_other").await;
    create(&api, "a").await;

    let other = send(&api, &api.owner, "/api/projects", project("other"), "a").await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.body["fields"][0]["field"], "Idempotency-Key");
    // The same person's, but it may not make projects: it is shown none that were made either.
    let narrow = api.key_with(&["projects:read"]).await;
    let narrow = send(&api, &narrow, "/api/projects", project("shop"), "a").await;
    assert!(narrow.status.is_client_error() && narrow.body["id"].is_null(), "{}", narrow.body);
    let body = json!({ "label": "all" });
    let token = send(&api, &api.owner, "/api/auth/tokens", body, "a").await;
    assert_eq!(token.status, StatusCode::CREATED, "another operation's names are its own");
    let (_, theirs) = api.member_with_key("Grace", windlass_auth::Role::Admin).await;
    let theirs = send(&api, &theirs, "/api/projects", project("shop"), "a").await;
    assert_eq!((theirs.status, is_replayed(&theirs)), (StatusCode::CREATED, false));
}

#[tokio::test]
async fn what_was_refused_or_has_failed_is_carried_out_when_it_is_sent_again() {
    let api = TestApi::start("once_failed").await;
    let wrong = send(&api, &api.owner, "/api/projects", project(""), "a").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    api.flaky.set(Mood::Unreachable);
    assert_eq!(create(&api, "a").await.status, StatusCode::SERVICE_UNAVAILABLE);
    api.flaky.set(Mood::Fine);
    let right = create(&api, "a").await;
    assert_eq!((right.status, is_replayed(&right)), (StatusCode::CREATED, false));
}

#[tokio::test]
async fn of_two_at_once_one_is_carried_out() {
    let api = TestApi::start("once_race").await;
    let (one, other) = tokio::join!(create(&api, "a"), create(&api, "a"));
    let answers = [&one, &other];
    assert!(answers.iter().any(|answer| answer.status == StatusCode::CREATED));
    for answer in answers {
        let waits = answer.status == StatusCode::CONFLICT && answer.body["code"] == "in_progress";
        assert!(waits || answer.status == StatusCode::CREATED, "{}", answer.body);
    }
    assert_eq!(count(&api).await, 1);
    assert!(is_replayed(&create(&api, "a").await));
}

#[tokio::test]
async fn whoever_goes_away_meanwhile_comes_back_for_the_answer() {
    let api = Arc::new(TestApi::start("once_gone").await);
    let shop = api.project("shop").await;
    let environment = api.environment(&shop, "main").await;
    let deployments = format!("/api/environments/{environment}/deployments");
    let rebuild = format!("/api/environments/{environment}/rebuild?wait=60");
    let client = tokio::spawn({
        let (api, rebuild) = (api.clone(), rebuild.clone());
        async move { send(&api, &api.owner, &rebuild, Value::Null, "a").await }
    });
    let deployment = loop {
        let listed = api.get(&deployments).await;
        if listed.body.as_array().unwrap().len() == 2 {
            break listed.body[0]["id"].as_str().unwrap().to_owned();
        }
        tokio::task::yield_now().await;
    };
    let meanwhile = send(&api, &api.owner, &rebuild, Value::Null, "a").await;
    assert_eq!(meanwhile.body["code"], "in_progress", "{}", meanwhile.body);

    client.abort();
    let cancel = format!("/api/deployments/{deployment}/cancel");
    api.send(&api.owner, Method::POST, &cancel, None).await;
    let answer = loop {
        let answer = send(&api, &api.owner, &rebuild, Value::Null, "a").await;
        if answer.status != StatusCode::CONFLICT {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert!(is_replayed(&answer), "{}", answer.body);
    assert_eq!(id(&answer), deployment);
    assert_eq!(api.get(&deployments).await.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let api = TestApi::start("once_bad").await;
    for name in ["", "\"\"", "a b", "a\"b", "caf\u{e9}", &"a".repeat(256)] {
        let refused = create(&api, name).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
    }
    let twice = TestApi::request(&api.owner, Method::POST, "/api/projects")
        .header(header::CONTENT_TYPE, "application/json")
        .header("Idempotency-Key", "a")
        .header("Idempotency-Key", "b")
        .body(Body::from(project("shop").to_string()));
    assert_eq!(api.answer(twice.unwrap()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(count(&api).await, 0);
}

#[tokio::test]
async fn every_operation_that_makes_something_can_be_named() {
    let api = TestApi::start("once_all").await;
    let mut named = 0;
    for (path, method, operation) in contract::operations() {
        let name = operation["operationId"].as_str().unwrap();
        let makes = ["201", "202"].iter().any(|it| operation["responses"][it].is_object());
        let documented = operation["parameters"].as_array().into_iter().flatten();
        let documented = documented.filter(|it| it["name"] == "Idempotency-Key").count();
        assert_eq!(documented == 1, makes && method == "POST", "{name}");
        if documented == 0 {
            continue;
        }
        let world = World::make(&api).await;
        world.make_ready(&api, name).await;
        let (path, body) = (world.path(name, path), world.body(name).unwrap_or_default());
        let first = send(&api, &api.owner, &path, body.clone(), name).await;
        if !first.status.is_success() {
            assert_eq!(first.body["code"], "session_required", "{name}: {}", first.body);
            continue;
        }
        let before = world.seen_by_owner(&api).await;
        let again = send(&api, &api.owner, &path, body, name).await;
        assert!(is_replayed(&again), "{name}: {}", again.body);
        assert_eq!((again.status, again.body), (first.status, first.body), "{name}");
        assert_eq!(world.seen_by_owner(&api).await, before, "{name}");
        named += 1;
    }
    assert!(9 <= named, "only {named}");
}
