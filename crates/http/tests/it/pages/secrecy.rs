//! No secret of a page is anywhere but in that page.

use axum::http::{Method, StatusCode, header};
use serde_json::json;
use tracing::level_filters::LevelFilter;
use windlass_auth::{CodeVerifier, Role};
use windlass_domain::OsEntropy;

use super::{form, submit, visit};
use crate::{
    harness::TestApi,
    people::PASSWORD,
    support::{logged::Logged, secrets::Secrets},
};

const REDIRECT: &str = "http://127.0.0.1:49152/callback";

#[tokio::test]
async fn no_secret_of_a_page_is_logged_stored_or_told_elsewhere() {
    let (logged, _logging) = Logged::start_from(LevelFilter::TRACE);
    let api = TestApi::start("pages_secrecy").await;
    let mut secrets = Secrets::default();
    secrets.remember("a password", PASSWORD);
    let setup = api.setup_token().await;
    secrets.remember("a set-up link", &setup);
    let organization = api.organization().await;
    let path = format!("/api/organizations/{organization}/invitations");
    let body = json!({ "email": "grace@example.com", "role": "member" });
    let invitation = api.post(&path, body).await.body["token"].as_str().unwrap().to_owned();
    secrets.remember("an invitation", &invitation);

    // Each page once, with a mistake in the form, and without.
    for (page, token) in [("/setup", &setup), ("/invitation", &invitation)] {
        let shown = visit(&api, "", &format!("{page}?token={token}")).await;
        assert!(shown.html.contains(token.as_str()), "that is where it belongs");
        let email = ("email", "ada@example.com");
        for password in ["short", PASSWORD] {
            let fields =
                [("token", token.as_str()), email, ("name", "Ada"), ("password", password)];
            let sent = submit(&api, "", page, "same-origin", &form(&fields)).await;
            assert!(!sent.html.contains(PASSWORD));
            assert_eq!(sent.status == StatusCode::SEE_OTHER, password == PASSWORD, "{page}");
        }
    }
    let next = format!("/invitation?token={invitation}");
    visit(&api, "", &format!("/login?{}", form(&[("next", &next)]))).await;

    api.person("eve@example.com", &[(organization.parse().unwrap(), Role::Owner)]).await;
    let cookie = api.sign_in("eve@example.com").await;
    secrets.remember("a session", cookie.split_once('=').unwrap().1);
    let me = api.browse(&cookie, Method::GET, "/api/auth/me", None).await.body;
    let challenge = CodeVerifier::generate(&OsEntropy).challenge().to_string();
    let fields = [
        ("redirect_uri", REDIRECT),
        ("state", "s-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("device", "laptop"),
        ("answer", "allow"),
        ("person", me["user"]["id"].as_str().unwrap()),
        ("organization", &organization),
    ];
    let allowed = submit(&api, &cookie, "/authorize", "same-origin", &form(&fields)).await;
    let code = allowed.location().split(['=', '&']).nth(1).unwrap();
    assert_eq!(allowed.html, "", "it is in the address alone");
    assert!(!allowed.headers.contains_key(header::REFRESH));

    for page in ["/setup", "/invitation", "/login", "/authorize"] {
        assert!(!logged.with(page).is_empty(), "{page} is in the log");
    }
    for line in logged.with("") {
        secrets.assert_absent_from(&format!("the log: {line}"), &line);
        assert!(!line.contains(code), "a code is in the log: {line}");
    }
    let lines = api.get("/api/audit?limit=200").await.body.to_string();
    secrets.assert_absent_from("the audit log", &lines);
    let dump = api.database.dump().await;
    assert!(dump.iter().any(|row| row.starts_with("login_codes: ")), "a code waits there");
    for row in &dump {
        secrets.assert_absent_from(&format!("the database, {row}"), row);
        assert!(!row.contains(code), "a code is in the database: {row}");
    }
}
