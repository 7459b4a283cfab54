//! Who is not let in.

use chrono::TimeDelta;
use serde_json::json;
use windlass_auth::Role;

use super::{ADA, ADA_THERE, BEGIN, accepting, assert_refused, browser::Browser, location, scene};

#[tokio::test]
async fn a_stranger_is_told_to_ask_for_an_invitation() {
    let (api, _github) = scene("github_stranger").await;
    // That she is invited is not enough: her invitation has a secret.
    api.invite(ADA, Role::Owner).await;
    let mut browser = Browser::new(&api);
    let refused = browser.sign_in(BEGIN).await;
    assert_refused(&browser, &refused, 403, "unknown_account");
    assert!(refused.body["message"].as_str().unwrap().contains("ask for an invitation"));
    let lines = api.lines("authenticate").await;
    assert_eq!((&lines[0]["outcome"], &lines[0]["times"]), (&json!("refused"), &json!(1)));
    assert_eq!(lines[0]["address"], "203.0.113.7");

    let (_, page) = {
        let back = browser.ask_github(BEGIN).await;
        browser.look_at(&back).await
    };
    assert!(
        page.starts_with("<!doctype html>") && page.contains("ask for an invitation"),
        "{page}"
    );
    assert!(!page.contains("take_over"), "{page}");
}

#[tokio::test]
async fn an_address_that_is_not_verified_or_not_the_first_proves_nothing() {
    let (api, github) = scene("github_unverified").await;
    api.person(ADA, &[(api.tenant().await, Role::Owner)]).await;
    let invitation = api.invite("grace@example.com", Role::Member).await;
    let address = |email: &str, primary: bool, verified: bool| json!({ "email": email, "primary": primary, "verified": verified });
    for (emails, code) in [
        (json!([address(ADA, true, false)]), "unverified_email"),
        (json!([address("grace@example.com", true, false)]), "unverified_email"),
        (json!([address(ADA, false, true)]), "unverified_email"),
        (json!([]), "unverified_email"),
        (
            json!([address("x@example.com", true, true), address(ADA, false, true)]),
            "not_the_addressee",
        ),
    ] {
        github.seat_with(ADA_THERE, "ada", emails.clone());
        for path in [accepting(&invitation), accepting(&invitation) + "&take_over=true"] {
            let mut browser = Browser::new(&api);
            let refused = browser.sign_in(&path).await;
            assert_refused(&browser, &refused, 403, code);
        }
    }
    let dump = api.database.dump().await;
    assert!(!dump.iter().any(|row| row.starts_with("external_identities: ")));
}

#[tokio::test]
async fn an_invitation_is_for_its_addressee() {
    let (api, github) = scene("github_addressee").await;
    let own = api.invite(ADA, Role::Viewer).await;
    Browser::new(&api).sign_in(&accepting(&own)).await;
    let other = api.invite("grace@example.com", Role::Owner).await;
    let mut browser = Browser::new(&api);
    let refused = browser.sign_in(&accepting(&other)).await;
    assert_refused(&browser, &refused, 403, "not_the_addressee");
    github.seat(7, "grace", "grace@example.com");
    let mut grace = Browser::new(&api);
    grace.sign_in(&accepting(&other)).await;
    assert_eq!(api.me(&grace).await["organizations"][0]["role"], "owner");
}

#[tokio::test]
async fn what_another_browser_has_begun_is_not_ended_here() {
    let (api, github) = scene("github_stolen").await;
    let invitation = api.invite(ADA, Role::Member).await;
    let mut ada = Browser::new(&api);
    let back = ada.ask_github(&accepting(&invitation)).await;

    let mut without = Browser::new(&api);
    let refused = without.visit(&back).await;
    assert_refused(&without, &refused, 403, "not_begun");
    let mut eve = Browser::new(&api);
    eve.visit(BEGIN).await;
    let refused = eve.visit(&back).await;
    assert_refused(&eve, &refused, 403, "not_begun");
    // Nor the other way round: nobody is signed in as somebody else by a link.
    github.seat(666, "eve", "eve@example.com");
    let of_eve = eve.ask_github(BEGIN).await;
    let refused = ada.visit(&of_eve).await;
    assert_refused(&ada, &refused, 403, "not_begun");
    assert!(!github.asked().contains(&"/login/oauth/access_token".to_owned()));

    assert_eq!(location(&ada.visit(&back).await), "/docs/", "her own way is as good as before");
}

#[tokio::test]
async fn a_code_from_another_way_is_worth_nothing() {
    let (api, github) = scene("github_injected").await;
    let invitation = api.invite(ADA, Role::Member).await;
    let stolen = Browser::new(&api).ask_github(&accepting(&invitation)).await;
    let code =
        |back: &str| back.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    github.seat(666, "eve", "eve@example.com");
    let mut eve = Browser::new(&api);
    let own = eve.ask_github(BEGIN).await;
    let refused = eve.visit(&own.replace(&code(&own), &code(&stolen))).await;
    assert_refused(&eve, &refused, 403, "not_begun");
    assert_eq!(
        github.asked().last().unwrap(),
        "/login/oauth/access_token",
        "GitHub has refused it"
    );
}

#[tokio::test]
async fn a_way_back_is_gone_once_and_in_its_time() {
    let (api, github) = scene("github_replay").await;
    let invitation = api.invite(ADA, Role::Member).await;
    let mut browser = Browser::new(&api);
    let back = browser.ask_github(&accepting(&invitation)).await;
    let cookies = browser.cookies.clone();
    let mut replaying = Browser::new(&api);
    replaying.cookies = cookies;
    browser.visit(&back).await;
    let asked = github.asked().len();
    let refused = replaying.visit(&back).await;
    assert_refused(&replaying, &refused, 403, "not_begun");
    assert_eq!(github.asked().len(), asked, "GitHub is not asked again");

    let mut late = Browser::new(&api);
    let back = late.ask_github(BEGIN).await;
    api.clock.advance(TimeDelta::minutes(10));
    let refused = late.visit(&back).await;
    assert_refused(&late, &refused, 403, "not_begun");
}

#[tokio::test]
async fn whoever_does_not_allow_it_is_told_so_kindly() {
    let (api, github) = scene("github_denied").await;
    github.deny();
    let mut browser = Browser::new(&api);
    let refused = browser.sign_in(BEGIN).await;
    assert_refused(&browser, &refused, 403, "access_denied");
    let back = browser.ask_github(BEGIN).await;
    let (answer, page) = browser.look_at(&back).await;
    assert_eq!(answer.status, 403);
    assert!(page.contains("you have not allowed it on GitHub") && page.contains("href=\"/login\""));
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn nonsense_is_refused_and_nothing_of_it_shown() {
    let (api, _github) = scene("github_nonsense").await;
    for query in [
        "",
        "?code=x",
        "?state=x",
        "?code=x&state=",
        "?error=%3Cscript%3E&state=x",
        "?code=%3Cscript%3E&state=%3Cscript%3E&iss=https%3A%2F%2Fgithub.com&setup_action=install",
    ] {
        let path = format!("{BEGIN}/callback{query}");
        let mut browser = Browser::new(&api);
        for kept in ["", "x", "1.AAAA", &"y".repeat(6_000)] {
            browser.cookies.insert("__Host-windlass_github".to_owned(), kept.to_owned());
            let refused = browser.visit(&path).await;
            assert_refused(&browser, &refused, 403, "not_begun");
            let (_, page) = browser.look_at(&path).await;
            assert!(!page.contains("script"), "{page}");
        }
    }
    for query in ["take_over=", "take_over=1", "take_over=true&take_over=true", "next=%00", "x=y"] {
        let refused = Browser::new(&api).visit(&format!("{BEGIN}?{query}")).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.body);
    }
    let twice = Browser::new(&api).visit(&format!("{BEGIN}/callback?state=a&state=b")).await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn who_fails_too_often_has_to_wait() {
    let (api, github) = scene("github_attempts").await;
    for _ in 0..30 {
        let mut browser = Browser::new(&api);
        let refused = browser.sign_in(BEGIN).await;
        assert_refused(&browser, &refused, 403, "unknown_account");
    }
    let asked = github.asked().len();
    let mut browser = Browser::new(&api);
    let refused = browser.sign_in(BEGIN).await;
    assert_refused(&browser, &refused, 429, "too_many_attempts");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(github.asked().len(), asked + 1, "only the person was asked");

    let invitation = api.invite(ADA, Role::Member).await;
    let mut elsewhere = Browser::new(&api).at([198, 51, 100, 1]);
    assert_eq!(location(&elsewhere.sign_in(&accepting(&invitation)).await), "/docs/");
}
