//! GitHub does not do its part.

use axum::http::StatusCode;
use serde_json::json;
use tracing::level_filters::LevelFilter;
use windlass_auth::Role;

use super::{
    ADA, ADA_THERE, BEGIN, accepting, assert_refused,
    browser::Browser,
    scene,
    stand_in::{CLIENT_SECRET, Instead, StandIn, github_at},
};
use crate::{
    harness::{Setup, TestApi},
    support::{logged::Logged, secrets::Secrets},
};

/// What must not be shown to anybody.
const BODY: &str = "what GitHub says in its own words";

#[tokio::test]
async fn answers_that_make_no_sense_are_a_503_and_nobody_sees_them() {
    const TOKEN: &str = "/login/oauth/access_token";
    const USER: &str = "/api/v3/user";
    const EMAILS: &str = "/api/v3/user/emails";
    let json = "application/json";
    let text =
        |status: u16, kind| Instead(StatusCode::from_u16(status).unwrap(), kind, BODY.to_owned());
    let said = |status: u16, body: serde_json::Value| {
        Instead(StatusCode::from_u16(status).unwrap(), json, body.to_string())
    };
    let (logged, _logging) = Logged::start();
    for (at, (path, instead)) in [
        (TOKEN, text(500, "text/html")),
        (TOKEN, text(200, json)),
        (TOKEN, text(302, "text/html")),
        (TOKEN, said(200, json!({ "access_token": 7 }))),
        (
            TOKEN,
            said(
                200,
                json!({ "access_token": "x", "token_type": "bearer", "pad": "x".repeat(1 << 20) }),
            ),
        ),
        (TOKEN, said(200, json!({ "error": "application_suspended", "error_description": BODY }))),
        (TOKEN, said(503, json!({ "message": BODY }))),
        (USER, text(401, json)),
        (USER, text(200, json)),
        // Followed, it would lead to an answer.
        (EMAILS, text(302, "text/html")),
        (USER, said(200, json!({ "login": "ada" }))),
        (USER, said(200, json!({ "id": "583231", "login": "ada", "name": BODY }))),
        (USER, said(200, json!({ "id": -1, "login": "ada" }))),
        (EMAILS, text(500, json)),
        (EMAILS, said(200, json!({ "message": BODY }))),
    ]
    .into_iter()
    .enumerate()
    {
        let (api, github) = scene(&format!("github_fault_{at}")).await;
        let invitation = api.invite(ADA, Role::Member).await;
        github.answer(path, instead);
        let mut browser = Browser::new(&api);
        let failed = browser.sign_in(&accepting(&invitation)).await;
        assert_refused(&browser, &failed, 503, "unavailable_elsewhere");
        assert!(failed.headers.contains_key("retry-after"));
        let message = failed.body["message"].as_str().unwrap();
        assert!(message.contains("GitHub") && !message.contains(BODY), "{message}");
    }
    assert!(15 <= logged.with("request failed for now").len(), "the operator learns of it");
    assert_eq!(logged.with(BODY), [""; 0]);
}

#[tokio::test]
async fn where_github_is_not_there_a_page_says_so_and_nobody_is_counted() {
    let github = StandIn::start().await;
    github.seat(ADA_THERE, "ada", ADA);
    // Browsers reach it, the server does not.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let service = github_at(&format!("http://{dead}"), CLIENT_SECRET);
    let setup = Setup { github: Some(service), ..Setup::default() };
    let api = TestApi::start_as("github_down", setup).await;
    let mut browser = Browser::new(&api);
    for _ in 0..31 {
        let sent = browser.visit(BEGIN).await;
        let state = super::location(&sent).split_once("&state=").unwrap().1;
        let state = state.split('&').next().unwrap();
        let failed = browser.visit(&format!("{BEGIN}/callback?code=x&state={state}")).await;
        assert_refused(&browser, &failed, 503, "unavailable_elsewhere");
    }
    let sent = browser.visit(BEGIN).await;
    let state = super::location(&sent).split_once("&state=").unwrap().1;
    let state = state.split('&').next().unwrap();
    let (answer, page) = browser.look_at(&format!("{BEGIN}/callback?code=x&state={state}")).await;
    assert_eq!(answer.status, 503);
    assert!(page.contains("GitHub cannot be asked at the moment"), "{page}");
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_to_put_right() {
    let github = StandIn::start().await;
    github.seat(ADA_THERE, "ada", ADA);
    let service = github_at(&github.url(), "another secret, mistyped");
    let setup = Setup { github: Some(service), ..Setup::default() };
    let api = TestApi::start_as("github_misconfigured", setup).await;
    let (logged, _logging) = Logged::start();
    let mut browser = Browser::new(&api);
    let failed = browser.sign_in(BEGIN).await;
    assert_refused(&browser, &failed, 503, "unavailable_elsewhere");
    assert!(failed.body["message"].as_str().unwrap().contains("does not accept this server"));
    let lines = logged.with("incorrect_client_credentials");
    assert_eq!(lines.len(), 1, "the operator finds the reason");
    assert!(!lines[0].contains("mistyped"));
}

#[tokio::test]
async fn an_app_that_may_not_read_addresses_signs_in_who_is_known() {
    let (api, github) = scene("github_no_emails").await;
    let invitation = api.invite(ADA, Role::Member).await;
    let no = Instead(StatusCode::FORBIDDEN, "application/json", BODY.to_owned());
    Browser::new(&api).sign_in(&accepting(&invitation)).await;
    github.answer("/api/v3/user/emails", no);
    let mut browser = Browser::new(&api);
    browser.sign_in(BEGIN).await;
    assert_eq!(api.me(&browser).await["user"]["email"], ADA);
    github.seat(7, "grace", "grace@example.com");
    let mut grace = Browser::new(&api);
    let refused = grace.sign_in(BEGIN).await;
    assert_refused(&grace, &refused, 403, "unverified_email");
}

#[tokio::test]
async fn no_secret_of_it_is_anywhere() {
    let (logged, _logging) = Logged::start_from(LevelFilter::TRACE);
    let (api, github) = scene("github_secrecy").await;
    let mut secrets = Secrets::default();
    secrets.remember("the client secret", CLIENT_SECRET);
    let invitation = api.invite(ADA, Role::Member).await;
    secrets.remember("an invitation", &invitation);
    let mut browser = Browser::new(&api);
    let back = browser.ask_github(&accepting(&invitation)).await;
    let state = back.split_once("state=").unwrap().1;
    secrets.remember("what is kept", &browser.cookies["__Host-windlass_github"].clone());
    browser.visit(&back).await;
    secrets.remember("a session", &browser.session().unwrap());
    let refused = browser.visit(&back).await;
    let other = Browser::new(&api).sign_in(BEGIN).await;
    github.answer("/api/v3/user", Instead(StatusCode::OK, "application/json", "{}".to_owned()));
    let failed = Browser::new(&api).sign_in(BEGIN).await;
    let given = github.given();
    assert_eq!(given.len(), 6, "three codes, three tokens");
    for text in given {
        secrets.remember("what GitHub has given", &text);
    }
    let log = logged.with("");
    assert!(30 < log.len(), "only {} lines were logged", log.len());
    for line in log {
        secrets.assert_absent_from(&format!("the log: {line}"), &line);
        assert!(!line.contains(state), "{line}");
    }
    for row in api.database.dump().await {
        secrets.assert_absent_from(&format!("the database: {row}"), &row);
    }
    for answer in [refused, other, failed] {
        secrets.assert_absent_from("an answer", &answer.body.to_string());
    }
    secrets.assert_absent_from("the audit log", &api.get("/api/audit").await.body.to_string());
}
