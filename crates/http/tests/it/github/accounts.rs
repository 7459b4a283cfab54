//! Which account is whose.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::json;
use windlass_auth::{NewLoginCode, Role};

use super::{ADA, ADA_THERE, BEGIN, accepting, assert_refused, browser::Browser, scene};
use crate::{
    harness::{Answer, TestApi},
    people::PASSWORD,
};

/// Eve has made an account with Ada's address, and is in it.
struct Hijacked {
    session: String,
    key: String,
    token: String,
    user: String,
}

async fn ask(api: &TestApi, cookie: &str, method: Method, path: &str) -> Answer {
    api.browse(cookie, method, path, None).await
}

async fn hijack(api: &TestApi) -> Hijacked {
    let invitation = api.invite(ADA, Role::Admin).await;
    let body = json!({ "token": invitation, "name": "Ada", "password": PASSWORD });
    api.browse("", Method::POST, "/api/invitations/register", Some(body)).await;
    let session = api.sign_in(ADA).await;
    let me = ask(api, &session, Method::GET, "/api/auth/me").await;
    let user = me.body["user"]["id"].as_str().unwrap();
    let make = async |path: &str, body, field: &str| {
        let made = api.browse(&session, Method::POST, path, Some(body)).await;
        made.body[field].as_str().unwrap_or_else(|| panic!("{}", made.body)).to_owned()
    };
    let key = json!({ "name": "back door", "scopes": ["read"] });
    let key = make("/api/auth/api-keys", key, "key").await;
    let token = make("/api/auth/tokens", json!({ "label": "back door" }), "token").await;
    let new = NewLoginCode {
        challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap(),
        redirect: "http://127.0.0.1:49152/callback".parse().unwrap(),
        label: "back door".parse().unwrap(),
        life: TimeDelta::days(7),
    };
    let code = new.mint(user.parse().unwrap(), api.tenant().await, api.fx()).record;
    let mut uow = api.store.write().await.unwrap();
    uow.login_codes().insert(&code).await.unwrap();
    uow.commit().await.unwrap();
    let path = format!("/api/organizations/{}/invitations", api.organization().await);
    let friend = json!({ "email": "eve@example.com", "role": "admin" });
    make(&path, friend, "token").await;
    Hijacked { session, key, token, user: user.to_owned() }
}

#[tokio::test]
async fn whoever_has_made_an_account_with_anothers_address_loses_it() {
    let (api, _github) = scene("github_hijacked").await;
    let Hijacked { session, key, token, user } = hijack(&api).await;
    let mut browser = Browser::new(&api);
    let refused = browser.sign_in(BEGIN).await;
    assert_refused(&browser, &refused, 403, "account_has_password");
    let is_in = async |credential: &str| {
        api.send(credential, Method::GET, "/api/auth/me", None).await.status == StatusCode::OK
    };
    assert!(is_in(&key).await && is_in(&token).await, "nothing has happened yet");

    browser.sign_in(&format!("{BEGIN}?take_over=true")).await;
    let me = api.me(&browser).await;
    assert_eq!(me["user"]["id"], user);
    assert_eq!(me["organizations"][0]["role"], "admin");
    assert!(!is_in(&key).await && !is_in(&token).await);
    let is_out = ask(&api, &session, Method::GET, "/api/auth/me").await.status;
    assert_eq!(is_out, StatusCode::UNAUTHORIZED);
    assert_eq!(api.try_sign_in(ADA, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let path = format!("/api/organizations/{}/invitations", api.organization().await);
    assert_eq!(api.get(&path).await.body[0]["status"], "revoked");
    let dump = api.database.dump().await;
    assert!(!dump.iter().any(|row| row.starts_with("login_codes: ")), "nor a code for a token");
    for (action, target) in [("take_over_account", "user"), ("link_github", "user")] {
        let lines = api.lines(action).await;
        assert_eq!(lines.len(), 1, "{action}");
        assert_eq!(
            (&lines[0]["target"]["kind"], &lines[0]["target"]["id"]),
            (&json!(target), &json!(user))
        );
    }
    // From now on it is hers.
    let mut again = Browser::new(&api);
    again.sign_in(BEGIN).await;
    assert_eq!(api.me(&again).await["user"]["id"], user);
}

#[tokio::test]
async fn the_page_leads_to_taking_over_and_what_was_wanted_is_not_forgotten() {
    let (api, _github) = scene("github_take_over_page").await;
    api.person(ADA, &[]).await;
    let invitation = api.invite(ADA, Role::Viewer).await;
    let mut browser = Browser::new(&api);
    let back = browser.ask_github(&format!("{}&next=/healthz", accepting(&invitation))).await;
    let (refused, page) = browser.look_at(&back).await;
    assert_eq!(refused.status, 403);
    let link = "href=\"/api/auth/github?take_over=true\"";
    assert!(page.contains(link) && !page.contains(&invitation), "{page}");

    let answer = browser.sign_in("/api/auth/github?take_over=true").await;
    assert_eq!(super::location(&answer), "/healthz");
    assert_eq!(api.me(&browser).await["organizations"][0]["role"], "viewer");
}

#[tokio::test]
async fn nobody_elses_page_has_an_account_taken_over_or_an_invitation_accepted() {
    let (api, _github) = scene("github_csrf").await;
    hijack(&api).await;
    for query in ["take_over=true", "invitation=wli_x", "take_over=false&invitation="] {
        for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
            let mut browser = Browser::new(&api);
            let path = format!("{BEGIN}?{query}");
            let refused = browser.go(&path, "application/json", site).await;
            assert_refused(&browser, &refused, 403, "foreign_origin");
            assert!(browser.cookies.is_empty());
        }
    }
    // A way that was begun without the wish does not end with it.
    let mut browser = Browser::new(&api);
    let back = browser.ask_github(BEGIN).await;
    let refused = browser.visit(&format!("{back}&take_over=true")).await;
    assert_refused(&browser, &refused, 403, "account_has_password");
}

#[tokio::test]
async fn whoever_has_signed_in_keeps_everything() {
    let (api, _github) = scene("github_linked").await;
    let Hijacked { session, key, user, .. } = hijack(&api).await;
    let mut browser = Browser::new(&api).with(&session);
    browser.sign_in(BEGIN).await;
    let me = api.me(&browser).await;
    assert_eq!(me["user"]["id"], user);
    let all = [
        ask(&api, &session, Method::GET, "/api/auth/me").await.status,
        api.send(&key, Method::GET, "/api/auth/me", None).await.status,
        api.try_sign_in(ADA, PASSWORD).await.status,
    ];
    assert_eq!(all, [StatusCode::OK; 3]);
    assert_eq!(api.lines("link_github").await.len(), 1);
    assert_eq!(api.lines("take_over_account").await.len(), 0);
}

#[tokio::test]
async fn somebody_elses_session_links_nothing() {
    let (api, _github) = scene("github_other_session").await;
    hijack(&api).await;
    api.person("eve@example.com", &[(api.tenant().await, Role::Owner)]).await;
    let eve = api.sign_in("eve@example.com").await;
    let mut browser = Browser::new(&api).with(&eve);
    let refused = browser.sign_in(BEGIN).await;
    assert_eq!(refused.body["code"], "account_has_password");
    assert_eq!(browser.session(), Some(eve), "nothing has changed");
}

#[tokio::test]
async fn an_account_belongs_to_one_github_account() {
    let (api, github) = scene("github_second").await;
    let invitation = api.invite(ADA, Role::Member).await;
    Browser::new(&api).sign_in(&accepting(&invitation)).await;
    // Somebody else has got the address, as happens in companies.
    github.seat(ADA_THERE + 1, "other-ada", ADA);
    for query in ["", "?take_over=true"] {
        let mut browser = Browser::new(&api);
        let refused = browser.sign_in(&format!("{BEGIN}{query}")).await;
        assert_refused(&browser, &refused, 403, "known_otherwise");
    }
}

#[tokio::test]
async fn whoever_claims_the_owners_account_has_it_alone() {
    let (api, _github) = scene("github_set_up").await;
    let claim = async |email: &str| {
        let body = json!({
            "token": api.setup_token().await, "email": email, "name": "Owner", "password": PASSWORD,
        });
        api.browse("", Method::POST, "/api/auth/setup", Some(body)).await;
    };
    claim(ADA).await;
    let owner = api.sign_in(ADA).await;
    let mut browser = Browser::new(&api).with(&owner);
    browser.sign_in(BEGIN).await;
    let me = api.me(&browser).await;
    assert_eq!(me["organizations"][0]["role"], "owner");

    claim("grace@example.com").await;
    let mut before = Browser::new(&api);
    let refused = before.sign_in(BEGIN).await;
    assert_refused(&before, &refused, 403, "unknown_account");
}
