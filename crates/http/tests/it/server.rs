//! The server itself: probes, metrics, documentation.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::json;
use windlass_engine::fake::{Fault, Operation};

use crate::harness::TestApi;

async fn get_openly(api: &TestApi, path: &str) -> crate::harness::Answer {
    let request = Request::builder().uri(path).header("X-Request-Id", "test").body(Body::empty());
    api.answer(request.unwrap()).await
}

#[tokio::test]
async fn probes_need_no_credential() {
    let api = TestApi::start("probes").await;
    assert_eq!(get_openly(&api, "/healthz").await.body, json!({ "status": "ok" }));
    assert_eq!(get_openly(&api, "/readyz").await.body, json!({ "status": "ok" }));

    api.engine.fail_next(Operation::Check, Fault::Internal, 1);

    let missing = get_openly(&api, "/readyz").await;
    assert_eq!(missing.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(missing.body["code"], "engine_unavailable");
    assert_eq!(missing.body["message"], "the engine is not available at the moment");
    assert!(missing.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn metrics_want_their_permission_unless_they_were_opened() {
    let api = TestApi::start("metrics").await;
    assert_eq!(get_openly(&api, "/metrics").await.status, StatusCode::UNAUTHORIZED);
    let key = api.key_with(&["projects:read"]).await;
    let refused = api.send(&key, Method::GET, "/metrics", None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(api.get("/metrics").await.status, StatusCode::OK);

    let open = TestApi::start_with("metrics_open", true).await;
    assert_eq!(get_openly(&open, "/metrics").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_documentation_opens_and_may_run_its_own_scripts() {
    let api = TestApi::start("docs").await;
    let redirect = api.raw(Request::get("/docs").body(Body::empty()).unwrap()).await;
    assert_eq!(redirect.status(), StatusCode::SEE_OTHER);
    assert_eq!(redirect.headers()[header::LOCATION], "/docs/");

    let page = get_openly(&api, "/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    // The policy forbids scripts inside the page, so there must be none.
    let html = page.body.as_str().unwrap();
    assert!(!html.contains("<script>"), "{html}");
    let script = get_openly(&api, "/docs/swagger-initializer.js").await;
    let script = script.body.as_str().unwrap();
    assert!(script.contains("/openapi.json"), "{script}");
    // Kept, a key would lie readable in the browser's storage.
    assert!(!script.contains("persistAuthorization"), "{script}");

    let missing = get_openly(&api, "/docs/nothing.js").await;
    assert_eq!(
        (missing.status, &missing.body["code"]),
        (StatusCode::NOT_FOUND, &json!("not_found"))
    );
}

#[tokio::test]
async fn the_served_document_is_the_generated_one() {
    let api = TestApi::start("document").await;
    let served = get_openly(&api, "/openapi.json").await;
    assert_eq!(served.body, *crate::contract::DOCUMENT);
}
