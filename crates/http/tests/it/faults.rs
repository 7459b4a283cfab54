//! What a client is told when something here is at fault, and what the logs are told.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use futures_util::StreamExt;
use insta::assert_json_snapshot;

use crate::{flaky::Mood, harness::TestApi, support::logged::Logged};

#[tokio::test]
async fn a_database_that_is_gone_is_worth_another_try() {
    let api = TestApi::start("fault_gone").await;
    api.get("/api/projects").await;
    api.flaky.set(Mood::Unreachable);

    let failed = api.get("/api/projects").await;

    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(failed.headers.contains_key(header::RETRY_AFTER));
    assert_json_snapshot!(failed.body, @r#"
    {
      "code": "unavailable",
      "error": "Service Unavailable",
      "message": "not available at the moment, try again",
      "request_id": "test"
    }
    "#);
    api.flaky.set(Mood::Fine);
    assert_eq!(api.get("/api/projects").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_fault_of_ours_is_logged_once_with_its_cause_and_told_without() {
    let api = TestApi::start("fault_ours").await;
    api.get("/api/projects").await;
    let (logged, _guard) = Logged::start();
    api.flaky.set(Mood::Broken);

    let failed = api.get("/api/projects?limit=7").await;

    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_json_snapshot!(failed.body, @r#"
    {
      "code": "internal",
      "error": "Internal Server Error",
      "message": "internal error",
      "request_id": "test"
    }
    "#);
    let errors = logged.with("\"level\":\"ERROR\"");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("the disk is on fire"), "{}", errors[0]);
    assert!(errors[0].contains("\"request.id\":\"test\""), "{}", errors[0]);
    let everything = logged.with("");
    assert!(everything.iter().all(|line| !line.contains("limit=7")), "queries are not logged");
    assert!(everything.iter().all(|line| !line.contains(&api.owner)), "keys are not logged");
}

#[tokio::test]
async fn a_panic_is_a_fault_like_any_other() {
    let api = TestApi::start("fault_panic").await;
    api.get("/api/projects").await;
    api.flaky.set(Mood::Panicking);

    let failed = api.get("/api/projects").await;

    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(failed.body["message"], "internal error");
    api.flaky.set(Mood::Fine);
    assert_eq!(api.get("/api/projects").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_hangs_is_given_up() {
    let api = TestApi::start("fault_slow").await;
    api.get("/api/projects").await;
    api.flaky.set(Mood::Hanging);
    tokio::time::pause();

    let failed = api.get("/api/projects").await;

    assert_eq!(failed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed.body["code"], "timeout");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_on_ends_without_saying_that_it_has_ended() {
    let api = TestApi::start("fault_log").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let (logged, _guard) = Logged::start();
    let open = async |accept: &str| {
        let path = format!("/api/environments/{environment}/logs?follow=true");
        let request = TestApi::request(&api.owner, Method::GET, &path)
            .header(header::ACCEPT, accept)
            .body(Body::empty());
        let response = api.raw(request.unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().into_data_stream()
    };
    let (mut events, mut text) = (open("text/event-stream").await, open("text/plain").await);

    api.flaky.set(Mood::Unreachable);

    assert!(events.next().await.is_none(), "a client comes back to a stream that is cut short");
    assert!(text.next().await.is_some_and(|chunk| chunk.is_err()), "a part is not the whole");
    let told = logged.with("no route to 10.0.0.7");
    assert_eq!(told.len(), 2, "once for each: {told:?}");
    let is_of_request = |line: &String| line.contains("\"request.id\":\"test\"");
    assert!(told.iter().all(is_of_request), "{told:?}");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_was_asked() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let api = TestApi::start("measured").await;

    api.get("/api/projects/proj_01kdvdna000000000000000009").await;
    api.get("/api/made-up-1").await;
    api.get("/api/made-up-2").await;

    let text = handle.render();
    for line in [
        r#"windlass_http_requests_total{method="GET",route="/api/projects/{id}",status="404"} 1"#,
        r#"windlass_http_requests_total{method="GET",route="unmatched",status="404"} 2"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(text.contains("windlass_http_request_duration_seconds"), "{text}");
    assert!(!text.contains("made-up"), "{text}");
}
