//! What is refused, and how that is told.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use insta::assert_json_snapshot;
use serde_json::json;

use crate::harness::{Answer, TestApi};

async fn send_raw(api: &TestApi, media_type: Option<&str>, body: &[u8]) -> Answer {
    let mut request = TestApi::request(&api.owner, Method::POST, "/api/projects");
    if let Some(media_type) = media_type {
        request = request.header(header::CONTENT_TYPE, media_type);
    }
    api.answer(request.body(Body::from(body.to_vec())).unwrap()).await
}

#[tokio::test]
async fn no_credential_is_told_in_the_seed_s_words() {
    let api = TestApi::start("no_credential").await;
    let request = Request::get("/api/projects").header("X-Request-Id", "test").body(Body::empty());

    let refused = api.answer(request.unwrap()).await;

    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers[header::WWW_AUTHENTICATE], "Bearer");
    assert_json_snapshot!(refused.body, @r#"
    {
      "code": "unauthenticated",
      "error": "Unauthorized",
      "message": "No authentication provided",
      "request_id": "test"
    }
    "#);
}

#[tokio::test]
async fn every_bad_credential_gets_the_same_answer() {
    let api = TestApi::start("bad_credential").await;
    let mut wrong = api.owner.clone();
    wrong.pop();
    let headers = [
        "Bearer wrong".to_owned(),
        format!("Bearer {wrong}"),
        format!("Bearer {} x", api.owner),
        "Bearer ".to_owned(),
        "Basic dXNlcjpwYXNz".to_owned(),
        api.owner.clone(),
    ];
    for value in headers {
        let request = Request::get("/api/projects")
            .header("X-Request-Id", "test")
            .header(header::AUTHORIZATION, &value)
            .body(Body::empty());
        let refused = api.answer(request.unwrap()).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(refused.headers[header::WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");
        assert_eq!(
            refused.body,
            json!({
                "error": "Unauthorized",
                "message": "Invalid or expired API key",
                "code": "invalid_credential",
                "request_id": "test",
            })
        );
    }
    let request = Request::get("/api/projects")
        .header(header::AUTHORIZATION, format!("Bearer {}", api.owner))
        .header(header::AUTHORIZATION, format!("Bearer {}", api.owner))
        .body(Body::empty());
    let twice = api.answer(request.unwrap()).await;
    assert_eq!(twice.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_missing_scope_is_told_in_the_seed_s_words() {
    let api = TestApi::start("missing_scope").await;
    let key = api.key_with(&["usage:read"]).await;

    let refused = api.send(&key, Method::GET, "/api/projects", None).await;

    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        refused.headers[header::WWW_AUTHENTICATE],
        "Bearer error=\"insufficient_scope\", scope=\"projects:read\""
    );
    assert_json_snapshot!(refused.body, @r#"
    {
      "code": "insufficient_scope",
      "error": "Forbidden",
      "message": "API key does not have 'projects:read' scope",
      "request_id": "test"
    }
    "#);
}

#[tokio::test]
async fn an_unknown_address_and_an_unknown_method_are_told_in_our_body() {
    let api = TestApi::start("unknown").await;

    let nowhere = api.get("/api/nowhere").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert_json_snapshot!(nowhere.body, @r#"
    {
      "code": "not_found",
      "error": "Not Found",
      "message": "there is nothing at this address",
      "request_id": "test"
    }
    "#);

    let method = api.send(&api.owner, Method::PUT, "/api/projects", None).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    let allow = method.headers[header::ALLOW].to_str().unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    assert_eq!(method.body["code"], "method_not_allowed");
}

#[tokio::test]
async fn what_is_malformed_or_unknown_is_not_there() {
    let api = TestApi::start("not_there").await;
    for path in [
        "/api/projects/proj_1",
        "/api/projects/env_01kdvdna000000000000000004",
        "/api/projects/proj_01kdvdna000000000000000009",
        "/api/projects/PROJ_01KDVDNA000000000000000009",
        "/api/projects/%00",
        "/api/projects/%ff%fe",
        "/api/projects/..%2f..%2fetc%2fpasswd",
    ] {
        let missing = api.get(path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(missing.body["message"], "no such project", "{path}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_explained() {
    let api = TestApi::start("unreadable").await;
    let deep = "[".repeat(100_000);
    let big = vec![b' '; 1024 * 1024 + 1];
    let json = Some("application/json");
    #[rustfmt::skip]
    let cases: &[(Option<&str>, &[u8], u16, &str)] = &[
        (json, b"", 400, "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        (json, b"{", 400, "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        (json, b"{} x", 400, "the body is not JSON: trailing characters at line 1 column 4"),
        (json, b"[]", 400, "the body: expected an object"),
        (json, b"{\"name\":\"\xff\"}", 400, "the body is not JSON: invalid unicode code point at line 1 column 10"),
        (json, b"{\"name\":1}", 400, "`name`: expected a string"),
        (json, b"{\"port\":1.5}", 400, "`port`: expected a whole number between 0 and 4294967295"),
        (json, b"{\"port\":-1}", 400, "`port`: expected a whole number between 0 and 4294967295"),
        (json, b"{\"port\":99999999999999999999}", 400, "`port`: expected a whole number between 0 and 4294967295"),
        (json, b"{\"resources\":{\"cpu\":\"1\"}}", 400, "`resources.cpu`: expected f64"),
        (json, b"{\"resources\":{\"cpu\":1e999}}", 400, "the body is not JSON: number out of range at line 1 column 25"),
        (json, b"{\"name\":\"a\",\"name\":\"b\"}", 400, "the body: duplicate field `name`"),
        (json, b"{\"nmae\":\"a\"}", 400, "`nmae`: unknown field `nmae`, expected one of `name`, `github_repo`, `git_url`, `default_branch`, `dockerfile`, `build_context`, `services`, `build_command`, `start_command`, `health_path`, `port`, `resources`, `build_resources`, `previews`, `hooks`"),
        (json, deep.as_bytes(), 400, "the body: expected an object"),
        (json, &big, 413, "the body must not have more than 1048576 bytes"),
        (None, b"{}", 415, "the body must be JSON: set `Content-Type: application/json`"),
        (Some("text/plain"), b"{}", 415, "the body must be JSON: set `Content-Type: application/json`"),
    ];
    for (media_type, body, status, message) in cases {
        let refused = send_raw(&api, *media_type, body).await;
        let shown = String::from_utf8_lossy(body.get(..40).unwrap_or(body));
        assert_eq!(refused.status.as_u16(), *status, "{shown}: {}", refused.body);
        assert_eq!(refused.body["message"], *message, "{shown}");
    }
}

#[tokio::test]
async fn query_parameters_that_are_unknown_or_unreadable_are_told() {
    let api = TestApi::start("bad_query").await;
    for (query, message) in [
        ("limit=0", "`limit` must be between 1 and 200"),
        ("limit=201", "`limit` must be between 1 and 200"),
        ("limit=-1", "limit: invalid digit found in string"),
        ("limit=1.5", "limit: invalid digit found in string"),
        ("limit=99999999999999999999", "limit: number too large to fit in target type"),
        ("limit=1&limit=2", "`limit` is given twice"),
        ("page=2", "unknown parameter `page`: known: `cursor`, `limit`, `orgId`"),
        ("cursor=%00", "`cursor` must be UTF-8 without control characters"),
        ("cursor=%ff", "`cursor` must be UTF-8 without control characters"),
        (
            "cursor=proj_1",
            "`cursor`: expected an identifier like `proj_` followed by 26 of 0-9 and a-z",
        ),
    ] {
        let refused = api.get(&format!("/api/projects?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.body["message"], message, "{query}");
        assert_eq!(refused.body["code"], "invalid_query", "{query}");
    }
    let refused = api.get("/healthz?orgId=org_1").await;
    assert_eq!(refused.body["message"], "unknown parameter `orgId`: known: there are none");
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_any_other_replaced() {
    let api = TestApi::start("request_id").await;
    let answered = async |given: &[u8]| -> String {
        let request =
            Request::get("/healthz").header("X-Request-Id", given).body(Body::empty()).unwrap();
        let response = api.raw(request).await;
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };

    assert_eq!(answered(b"01J-abc/7").await, "01J-abc/7");
    for bad in [&b""[..], b"a b", b"\"", b"caf\xc3\xa9", &[b'a'; 129]] {
        let made = answered(bad).await;
        assert_eq!(made.len(), 36, "{made}");
    }
}

#[tokio::test]
async fn answers_are_not_cached_sniffed_or_framed() {
    let api = TestApi::start("headers").await;
    for path in ["/api/projects", "/api/nowhere"] {
        let headers = api.get(path).await.headers;
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let policy = &headers[header::CONTENT_SECURITY_POLICY];
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}
