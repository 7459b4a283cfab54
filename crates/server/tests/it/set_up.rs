//! From the link that the first start prints to a person who is signed in, in a real browser.

use std::time::Duration;

use fantoccini::Locator;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Browser, TestServer};

const PASSWORD: &str = "correct horse battery staple";

/// The last link that the server has printed to its standard error.
fn printed_link(server: &TestServer) -> Option<String> {
    let log = server.log();
    let line = log.lines().rev().find(|line| line.contains("/setup?token=wlo_"))?;
    assert!(!line.starts_with('{'), "it is for people, not for the log: {line}");
    line.split_whitespace().last().map(str::to_owned)
}

fn token_in(link: &str) -> String {
    link.split_once("token=").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_person_follows_the_link_and_reads_the_documentation_signed_in() {
    let mut server = TestServer::start("set_up_browser").await;
    let link = printed_link(&server).expect("nobody can sign in yet");
    let browser = Browser::open().await;
    browser.page.goto(&link).await.unwrap();
    browser.fill_in("#email", "ada@example.com").await;
    browser.fill_in("#name", "Ada").await;
    browser.fill_in("#password", PASSWORD).await;
    browser.click("button").await;

    // Now the documentation asks with the cookie of the session, and nobody has pasted a key.
    let operation = "[id$='-whoami']";
    browser.click(&format!("{operation} .opblock-summary-control")).await;
    browser.click(&format!("{operation} button.try-out__btn")).await;
    browser.click(&format!("{operation} button.execute")).await;
    let answer = format!("{operation} .live-responses-table tbody td.response-col_description");
    let answer = browser.element(&answer).await.text().await.unwrap();
    assert!(answer.contains("ada@example.com") && answer.contains("session"), "{answer}");

    browser.page.delete_all_cookies().await.unwrap();
    browser.page.goto(&format!("{}/login", server.api.base())).await.unwrap();
    browser.fill_in("#email", "ada@example.com").await;
    browser.fill_in("#password", PASSWORD).await;
    browser.click("button").await;
    let docs = browser.page.wait().at_most(Duration::from_mins(1));
    docs.for_element(Locator::Css("button.authorize")).await.unwrap();
    let cookie = browser.page.get_named_cookie("windlass_session").await.unwrap();
    assert_eq!(cookie.http_only(), Some(true));
    browser.page.close().await.unwrap();

    assert!(server.stop().await.success());
    server.start_again().await;
    assert_eq!(printed_link(&server), Some(link), "this start prints no other");
}

#[tokio::test]
async fn each_start_makes_the_link_of_the_one_before_worthless() {
    let mut server = TestServer::start("set_up_links").await;
    let first = token_in(&printed_link(&server).unwrap());
    assert!(server.stop().await.success());
    server.start_again().await;
    let second = token_in(&printed_link(&server).unwrap());
    assert_ne!(first, second);
    let claim = |token: &str| {
        let (name, password) = ("Ada", PASSWORD);
        json!({ "token": token, "email": "ada@example.com", "name": name, "password": password })
    };
    let old = server.api.post("/api/auth/setup", claim(&first)).await;
    assert_eq!(old.status, StatusCode::FORBIDDEN, "{old:?}");
    let new = server.api.post("/api/auth/setup", claim(&second)).await;
    assert_eq!(new.status, StatusCode::OK, "{new:?}");

    // Somebody who has forgotten everything asks whoever runs the server.
    let said = server.administer(&["set-up-link"]).await;
    let third = server.api.post("/api/auth/setup", claim(&token_in(said.trim()))).await;
    assert_eq!(third.status, StatusCode::OK, "{third:?}");
}
