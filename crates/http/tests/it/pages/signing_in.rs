//! Signing in and out, and the first owner.

use std::num::NonZeroU32;

use axum::http::{Request, StatusCode, header};
use windlass_auth::Role;
use windlass_http::RateLimits;

use super::{form, open, submit, visit};
use crate::{
    harness::TestApi,
    people::{PASSWORD, with_body},
};

#[tokio::test]
async fn the_pages_work_without_scripts_and_load_nothing_from_elsewhere() {
    let api = TestApi::start("pages").await;
    let token = api.setup_token().await;
    for path in ["/login", "/setup", &format!("/setup?token={token}")] {
        let page = open(&api, with_body(Request::get(path), None)).await;
        assert_eq!(page.status, StatusCode::OK);
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self'"));
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(page.headers[header::REFERRER_POLICY], "strict-origin");
        assert!(!page.html.contains("<script") && !page.html.contains("style="), "{}", page.html);
        assert!(!page.html.contains("http"), "{}", page.html);
    }
    let style = open(&api, with_body(Request::get("/pages.css"), None)).await;
    assert_eq!(style.headers[header::CONTENT_TYPE], "text/css; charset=utf-8");

    let form = format!("token={token}&email=ada%40example.com&name=Ada+L&password=twelve+letters");
    let done = submit(&api, "", "/setup", "same-origin", &form).await;
    assert_eq!(
        (done.status, &done.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/docs/".parse().unwrap())
    );
    assert!(done.headers.contains_key(header::SET_COOKIE));
    let form = "email=ada%40example.com&password=twelve+letters";
    let done = submit(&api, "", "/login", "same-origin", form).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(done.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_page_says_what_is_wrong_and_shows_what_was_typed_as_nothing_but_text() {
    let api = TestApi::start("pages_wrong").await;
    let form = "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&password=twelve+letters";
    let page = submit(&api, "", "/login", "same-origin", form).await;
    assert!(page.html.contains("must be an e-mail address"), "{}", page.html);
    assert!(page.html.contains("&quot;&gt;&lt;script&gt;") && !page.html.contains("<script"));
    assert!(!page.html.contains("twelve letters"), "no password is sent back");

    let page =
        submit(&api, "", "/login", "same-origin", "email=a%40b.c&password=twelve+letters").await;
    assert!(page.html.contains("Wrong e-mail address or password"), "{}", page.html);
    assert!(!page.headers.contains_key(header::SET_COOKIE));
    let link = open(&api, with_body(Request::get("/setup?token=%22%3E%3Cb%3E"), None)).await;
    assert!(link.html.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{}", link.html);
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let api = TestApi::start("pages_csrf").await;
    api.person("ada@example.com", &[(api.tenant().await, Role::Owner)]).await;
    let form = format!("email=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
    for site in ["cross-site", "same-site", "none"] {
        let refused = submit(&api, "", "/login", site, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
        assert!(!refused.headers.contains_key(header::SET_COOKIE));
    }
    assert_eq!(
        submit(&api, "", "/login", "same-origin", &form).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn whoever_was_on_the_way_to_a_page_comes_there_and_to_no_other_site() {
    let api = TestApi::start("pages_next").await;
    api.person("ada@example.com", &[(api.tenant().await, Role::Owner)]).await;
    let page = visit(&api, "", "/login?next=%2Fdocs%2F%3Fa%3Db%26c%3D%22").await;
    assert!(page.html.contains("name=\"next\" value=\"/docs/?a=b&amp;c=&quot;\""), "{}", page.html);
    for (next, location) in [
        ("/docs/?a=b", "/docs/?a=b"),
        ("", "/docs/"),
        ("https://evil.example/", "/docs/"),
        ("//evil.example/", "/docs/"),
        ("/\\evil.example/", "/docs/"),
        ("/docs/\r\nSet-Cookie: a=b", "/docs/"),
    ] {
        let page = visit(&api, "", &format!("/login?{}", form(&[("next", next)]))).await;
        assert!(!page.html.contains("evil"), "{}", page.html);
        let fields = [("next", next), ("email", "ada@example.com"), ("password", PASSWORD)];
        let done = submit(&api, "", "/login", "same-origin", &form(&fields)).await;
        assert_eq!(done.location(), location, "{next:?}");
    }
    let wrong = [("next", "/docs/?a=b"), ("email", "ada@example.com"), ("password", "nonsense")];
    let again = submit(&api, "", "/login", "same-origin", &form(&wrong)).await;
    assert!(again.html.contains("value=\"/docs/?a=b\""), "it is not forgotten: {}", again.html);
}

#[tokio::test]
async fn a_person_signs_out_on_a_page_and_no_other_site_does_it_for_them() {
    let api = TestApi::start("pages_logout").await;
    api.person("ada@example.com", &[(api.tenant().await, Role::Owner)]).await;
    let cookie = api.sign_in("ada@example.com").await;
    let is_in = async || visit(&api, &cookie, "/api/auth/me").await.status == StatusCode::OK;
    for site in ["cross-site", "same-site", "none"] {
        let refused = submit(&api, &cookie, "/logout", site, "").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
    }
    let unsaid = Request::post("/logout")
        .header(header::COOKIE, &cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let refused = open(&api, with_body(unsaid, None)).await;
    assert!(refused.status.is_client_error() && is_in().await);
    assert_eq!(visit(&api, &cookie, "/logout").await.status, StatusCode::METHOD_NOT_ALLOWED);

    let form = form(&[("next", "/login?next=%2Fdocs%2F")]);
    let done = submit(&api, &cookie, "/logout", "same-origin", &form).await;
    assert_eq!(done.location(), "/login?next=%2Fdocs%2F");
    assert!(done.cookie().ends_with("windlass_session="), "{}", done.cookie());
    assert!(!is_in().await);
    let lines = api.get("/api/audit?action=logout").await.body;
    assert_eq!(lines.as_array().map(Vec::len), Some(1), "{lines}");
    let again = submit(&api, &cookie, "/logout", "same-origin", &form).await;
    assert_eq!(again.location(), "/login?next=%2Fdocs%2F", "nobody is told anything else");
}

#[tokio::test]
async fn pages_count_for_their_address_and_their_style_does_not() {
    let limits = RateLimits { per_credential: None, per_address: NonZeroU32::new(3) };
    let api = TestApi::start_limited("pages_limit", limits).await;
    let fields = form(&[("email", "ada@example.com"), ("password", "wrong password")]);
    let first = submit(&api, "", "/login", "same-origin", &fields).await;
    assert_eq!(first.headers["ratelimit"], "\"address\";r=2;t=20");
    assert_eq!(submit(&api, "", "/setup", "same-origin", &fields).await.status, StatusCode::OK);
    assert_eq!(visit(&api, "", "/login").await.status, StatusCode::OK);
    for _ in 0..5 {
        assert_eq!(visit(&api, "", "/pages.css").await.status, StatusCode::OK);
    }
    let before = api.passwords.computed();
    let refused = submit(&api, "", "/login", "same-origin", &fields).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers[header::RETRY_AFTER], "20");
    assert_eq!(refused.headers["ratelimit"], "\"address\";r=0;t=20");
    assert_eq!(api.passwords.computed(), before, "nothing is hashed for it");
    let refused = visit(&api, "", "/login").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.html.contains("<h1>Too many requests</h1>"), "{}", refused.html);
    api.clock.advance(chrono::TimeDelta::seconds(20));
    assert_eq!(submit(&api, "", "/login", "same-origin", &fields).await.status, StatusCode::OK);
}
