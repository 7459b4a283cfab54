//! Coming for the first time, and again.

use axum::http::header;
use serde_json::json;
use windlass_auth::Role;

use super::{ADA, ADA_THERE, BEGIN, accepting, assert_refused, browser::Browser, location, scene};
use crate::harness::{Setup, TestApi};

#[tokio::test]
async fn somebody_who_is_invited_comes_by_github_and_returns() {
    let (api, github) = scene("github_invited").await;
    let invitation = api.invite(ADA, Role::Member).await;
    let mut browser = Browser::new(&api);
    let answer = browser.sign_in(&accepting(&invitation)).await;
    assert_eq!(location(&answer), "/docs/");
    assert_eq!(browser.cookies.len(), 1, "nothing is left of the way: {:?}", browser.cookies);

    let me = api.me(&browser).await;
    assert_eq!((&me["user"]["name"], &me["user"]["email"]), (&json!("The ada"), &json!(ADA)));
    assert_eq!(me["organizations"][0]["role"], "member");
    let path = format!("/api/organizations/{}/invitations", api.organization().await);
    assert_eq!(api.get(&path).await.body[0]["status"], "accepted");

    // She is who she is, however she is called and whatever her address is by now.
    github.seat(ADA_THERE, "countess", "lovelace@example.org");
    let mut again = Browser::new(&api);
    again.sign_in(BEGIN).await;
    let returned = api.me(&again).await;
    assert_eq!(returned["user"], me["user"]);
    assert_ne!(returned["credential"]["id"], me["credential"]["id"]);

    for (action, times, target) in [
        ("accept_invitation", 1, "invitation"),
        ("link_github", 1, "user"),
        ("sign_in_with_github", 2, "session"),
    ] {
        let lines = api.lines(action).await;
        assert_eq!(lines.len(), times, "{action}");
        for line in lines {
            assert_eq!(line["actor"]["kind"], "person", "{action}");
            assert_eq!(line["actor"]["user_id"], me["user"]["id"], "{action}");
            assert_eq!(line["target"]["kind"], target, "{action}");
            assert_eq!(
                (&line["outcome"], &line["address"]),
                (&json!("done"), &json!("203.0.113.7"))
            );
        }
    }
}

#[tokio::test]
async fn the_way_is_kept_by_one_browser_and_no_script_reads_it() {
    let (api, _github) = scene("github_cookie").await;
    let mut browser = Browser::new(&api);
    let sent = browser.visit(&format!("{BEGIN}?next=/login")).await;
    let cookie = sent.headers[header::SET_COOKIE].to_str().unwrap();
    let (name, rest) = cookie.split_once('=').unwrap();
    assert_eq!(name, "__Host-windlass_github");
    let (kept, attributes) = rest.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure");
    let address = location(&sent);
    let (_, query) = address.split_once('?').unwrap();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let is_secret = ["state", "code_challenge"].contains(&&*name);
        assert!(!is_secret || (value.len() == 43 && !kept.contains(&*value)), "{name}");
    }
    assert!(address.contains("code_challenge_method=S256"));
    assert_eq!(sent.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(sent.headers[header::REFERRER_POLICY], "no-referrer");
}

#[tokio::test]
async fn nobody_is_sent_anywhere_else_afterwards() {
    let (api, _github) = scene("github_next").await;
    api.invite(ADA, Role::Viewer).await;
    let invitation = api.invite(ADA, Role::Viewer).await;
    Browser::new(&api).sign_in(&accepting(&invitation)).await;
    for (next, expected) in [
        ("/invitation%3Ftoken%3Dx%26y%3D%252F", "/invitation?token=x&y=%2F"),
        ("//evil.example", "/docs/"),
        ("/%5Cevil.example", "/docs/"),
        ("https://evil.example/", "/docs/"),
        ("/%0d%0aSet-Cookie:a=b", "/docs/"),
    ] {
        // What is no text for an address at all is not gone on from.
        let mut browser = Browser::new(&api);
        let path = format!("{BEGIN}?next={next}");
        if next.contains("%0d") {
            assert_eq!(browser.visit(&path).await.status, 400);
            continue;
        }
        assert_eq!(location(&browser.sign_in(&path).await), expected, "{next}");
    }
    let long = format!("{BEGIN}?next=/{}", "a".repeat(5_000));
    assert_eq!(location(&Browser::new(&api).sign_in(&long).await), "/docs/");
}

#[tokio::test]
async fn somebody_without_a_password_who_belongs_nowhere_accepts_an_invitation() {
    let (api, _github) = scene("github_nowhere").await;
    let first = api.invite(ADA, Role::Member).await;
    let mut browser = Browser::new(&api);
    browser.sign_in(&accepting(&first)).await;
    let me = api.me(&browser).await;
    let organization = api.organization().await;
    let user = me["user"]["id"].as_str().unwrap();
    api.delete(&format!("/api/organizations/{organization}/members/{user}")).await;

    let mut outside = Browser::new(&api);
    let refused = outside.sign_in(BEGIN).await;
    assert_refused(&outside, &refused, 403, "no_organization");
    let spent = outside.sign_in(&accepting(&first)).await;
    assert_refused(&outside, &spent, 422, "invalid_fields");
    let second = api.invite(ADA, Role::Viewer).await;
    outside.sign_in(&accepting(&second)).await;
    let again = api.me(&outside).await;
    assert_eq!(again["user"], me["user"]);
    assert_eq!(again["organizations"][0]["role"], "viewer");
}

#[tokio::test]
async fn the_page_to_sign_in_on_shows_the_way_to_github_where_there_is_one() {
    let (api, _github) = scene("github_page").await;
    let (_, page) = Browser::new(&api).look_at("/login?next=/docs/%3Fa%3D1%26b").await;
    assert!(page.contains("Sign in with GitHub"), "{page}");
    assert!(page.contains("href=\"/api/auth/github?next=%2Fdocs%2F%3Fa%3D1%26b\""), "{page}");

    let invitation = api.invite(ADA, Role::Viewer).await;
    let (_, page) = Browser::new(&api).look_at(&format!("/invitation?token={invitation}")).await;
    let accept = format!("href=\"{}\">Accept with GitHub", accepting(&invitation));
    assert!(page.contains(&accept), "{page}");

    let without = Setup { github: None, ..Setup::default() };
    let api = TestApi::start_as("github_no_page", without).await;
    let mut browser = Browser::new(&api);
    let (_, page) = browser.look_at("/login").await;
    assert!(page.contains("Sign in") && !page.contains("GitHub"), "{page}");
    for path in [BEGIN.to_owned(), format!("{BEGIN}/callback?code=x&state=y")] {
        let refused = browser.visit(&path).await;
        assert_refused(&browser, &refused, 404, "not_set_up");
        assert!(refused.body["message"].as_str().unwrap().contains("`[github]`"));
        let (answer, page) = browser.look_at(&path).await;
        assert!(answer.status == 404 && page.contains("`[github]`"), "{page}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let (api, _github) = scene("github_unwritten").await;
    let invitation = api.invite(ADA, Role::Member).await;
    let mut browser = Browser::new(&api);
    api.database.execute("ALTER TABLE audit_log RENAME TO elsewhere").await;
    let failed = browser.sign_in(&accepting(&invitation)).await;
    api.database.execute("ALTER TABLE elsewhere RENAME TO audit_log").await;
    assert_refused(&browser, &failed, 500, "internal");
    let dump = api.database.dump().await;
    for table in ["external_identities: ", "sessions: "] {
        assert!(!dump.iter().any(|row| row.starts_with(table)), "{table}");
    }
    browser.sign_in(&accepting(&invitation)).await;
    assert_eq!(api.me(&browser).await["user"]["email"], ADA);
}
