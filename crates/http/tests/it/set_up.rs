//! Claiming the owner's account, and the pages for people.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use windlass_auth::Role;
use windlass_control::{SetUpFor, offer_set_up};
use windlass_domain::{Effects, OsEntropy};

use crate::{
    harness::{Answer, TestApi},
    people::{HOST, PASSWORD, with_body},
};

const SETUP: &str = "/api/auth/setup";

fn claim(token: &str) -> Value {
    json!({ "token": token, "email": "Ada@Example.com", "name": "Ada", "password": PASSWORD })
}

async fn set_up(api: &TestApi, body: Value) -> Answer {
    api.browse("", Method::POST, SETUP, Some(body)).await
}

async fn offered(api: &TestApi) -> Option<String> {
    let fx = Effects { clock: &*api.clock, entropy: &OsEntropy };
    let offered = offer_set_up(&*api.store, fx, SetUpFor::Newcomer).await.unwrap();
    offered.map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn a_person_claims_the_owners_account_once() {
    let api = TestApi::start("set_up").await;
    let token = offered(&api).await.expect("nobody can sign in yet");
    let done = set_up(&api, claim(&token)).await;
    assert_eq!(done.status, StatusCode::OK);
    let cookie = done.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let me = api.browse(cookie, Method::GET, "/api/auth/me", None).await.body;
    assert_eq!(
        (&me["user"]["name"], &me["user"]["email"]),
        (&json!("Ada"), &json!("ada@example.com"))
    );
    assert_eq!(me["organizations"][0]["role"], "owner");
    assert_eq!(api.try_sign_in("ada@example.com", PASSWORD).await.status, StatusCode::OK);

    let again = set_up(&api, claim(&token)).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(again.body["code"], "invalid_link");
    assert_eq!(offered(&api).await, None, "the next start prints no link");
    assert_eq!(
        api.get("/api/auth/me").await.status,
        StatusCode::OK,
        "the owner's key goes on working"
    );
}

#[tokio::test]
async fn a_link_works_for_an_hour_and_until_the_next_one() {
    let api = TestApi::start("set_up_life").await;
    let (first, second) = (offered(&api).await.unwrap(), offered(&api).await.unwrap());
    for token in [first.as_str(), "", "wlo_", &"0".repeat(1_000)] {
        assert_eq!(set_up(&api, claim(token)).await.status, StatusCode::FORBIDDEN, "{token}");
    }
    api.clock.advance(TimeDelta::hours(1));
    assert_eq!(set_up(&api, claim(&second)).await.status, StatusCode::FORBIDDEN);
    let third = offered(&api).await.unwrap();
    assert_eq!(set_up(&api, claim(&third)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_wrong_with_the_fields_is_told_and_the_link_stays_good() {
    let api = TestApi::start("set_up_fields").await;
    api.person("taken@example.com", &[(api.tenant().await, Role::Viewer)]).await;
    let token = offered(&api).await.unwrap();
    let wrong = json!({ "token": token, "email": "ada", "name": " ", "password": "short" });
    let refused = set_up(&api, wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["fields"].as_array().map(Vec::len), Some(3));
    let mut somebody_elses = claim(&token);
    somebody_elses["email"] = "taken@example.com".into();
    let refused = set_up(&api, somebody_elses).await;
    assert_eq!(refused.body["message"], "email is somebody else's");
    assert_eq!(set_up(&api, claim(&token)).await.status, StatusCode::OK);
}

/// A page, as a browser has it.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

async fn open(api: &TestApi, request: Request<Body>) -> Page {
    let response = api.raw(request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Page { status, headers, html: String::from_utf8(bytes.to_vec()).unwrap() }
}

async fn submit(api: &TestApi, path: &str, site: &str, form: &str) -> Page {
    let request = Request::post(path)
        .header(header::HOST, HOST)
        .header("Sec-Fetch-Site", site)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    open(api, request.unwrap()).await
}

#[tokio::test]
async fn the_pages_work_without_scripts_and_load_nothing_from_elsewhere() {
    let api = TestApi::start("pages").await;
    let token = offered(&api).await.unwrap();
    for path in ["/login", "/setup", &format!("/setup?token={token}")] {
        let page = open(&api, with_body(Request::get(path), None)).await;
        assert_eq!(page.status, StatusCode::OK);
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self'"));
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        assert!(!page.html.contains("<script") && !page.html.contains("style="), "{}", page.html);
        assert!(!page.html.contains("http"), "{}", page.html);
    }
    let style = open(&api, with_body(Request::get("/pages.css"), None)).await;
    assert_eq!(style.headers[header::CONTENT_TYPE], "text/css; charset=utf-8");

    let form = format!("token={token}&email=ada%40example.com&name=Ada+L&password=twelve+letters");
    let done = submit(&api, "/setup", "same-origin", &form).await;
    assert_eq!(
        (done.status, &done.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/docs/".parse().unwrap())
    );
    assert!(done.headers.contains_key(header::SET_COOKIE));
    let form = "email=ada%40example.com&password=twelve+letters";
    let done = submit(&api, "/login", "same-origin", form).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(done.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn a_page_says_what_is_wrong_and_shows_what_was_typed_as_nothing_but_text() {
    let api = TestApi::start("pages_wrong").await;
    let form = "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&password=twelve+letters";
    let page = submit(&api, "/login", "same-origin", form).await;
    assert!(page.html.contains("must be an e-mail address"), "{}", page.html);
    assert!(page.html.contains("&quot;&gt;&lt;script&gt;") && !page.html.contains("<script"));
    assert!(!page.html.contains("twelve letters"), "no password is sent back");

    let page = submit(&api, "/login", "same-origin", "email=a%40b.c&password=twelve+letters").await;
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
        let refused = submit(&api, "/login", site, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
        assert!(!refused.headers.contains_key(header::SET_COOKIE));
    }
    assert_eq!(submit(&api, "/login", "same-origin", &form).await.status, StatusCode::SEE_OTHER);
}
