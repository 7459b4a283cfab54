//! Looking at an invitation in a browser, and accepting it.

use axum::http::{Method, StatusCode, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use windlass_auth::Role;

use super::{Page, form, submit, visit};
use crate::{harness::TestApi, people::PASSWORD};

const GRACE: &str = "grace@example.com";
const WORTHLESS: &str = "This invitation does not work (any more)";

/// The path and query of a link, and the token in it.
async fn invite(api: &TestApi, email: &str) -> (String, String) {
    let path = format!("/api/organizations/{}/invitations", api.organization().await);
    let made = api.post(&path, json!({ "email": email, "role": "member" })).await.body;
    let token = made["token"].as_str().unwrap().to_owned();
    let url = made["url"].as_str().unwrap();
    let link = url.strip_prefix("https://windlass.example.com").unwrap().to_owned();
    assert_eq!(link, format!("/invitation?token={token}"));
    (link, token)
}

async fn accept(api: &TestApi, cookie: &str, fields: &[(&str, &str)]) -> Page {
    submit(api, cookie, "/invitation", "same-origin", &form(fields)).await
}

async fn states(api: &TestApi) -> Vec<Value> {
    let path = format!("/api/organizations/{}/invitations", api.organization().await);
    let listed = api.get(&path).await.body;
    listed.as_array().unwrap().iter().map(|found| found["status"].clone()).collect()
}

#[tokio::test]
async fn somebody_new_sees_where_it_leads_and_comes_in_with_a_password() {
    let api = TestApi::start("invitation_new").await;
    let (link, token) = invite(&api, GRACE).await;
    for _ in 0..2 {
        let page = visit(&api, "", &link).await;
        assert_eq!(page.status, StatusCode::OK);
        for told in ["as <strong>member</strong>", GRACE, "name=\"name\"", "new-password"] {
            assert!(page.html.contains(told), "{told}: {}", page.html);
        }
        assert!(!page.html.contains("<script") && !page.html.contains("http"), "{}", page.html);
        assert_eq!(page.headers[header::REFERRER_POLICY], "strict-origin");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    }
    assert_eq!(states(&api).await, ["pending"], "a look changes nothing");

    let short = [("token", token.as_str()), ("name", "Grace <b>"), ("password", "short")];
    let page = accept(&api, "", &short).await;
    assert!(page.html.contains("password must be"), "{}", page.html);
    assert!(page.html.contains("value=\"Grace &lt;b&gt;\""), "{}", page.html);
    let done = accept(&api, "", &[short[0], ("name", "Grace"), ("password", PASSWORD)]).await;
    assert_eq!(done.location(), "/docs/");
    let me = api.browse(&done.cookie(), Method::GET, "/api/auth/me", None).await.body;
    assert_eq!(me["user"]["email"], GRACE);
    assert_eq!(
        (&me["user"]["name"], &me["organizations"][0]["role"]),
        (&json!("Grace"), &json!("member"))
    );
    for action in ["register_by_invitation", "login"] {
        let lines = api.get(&format!("/api/audit?action={action}")).await.body;
        assert_eq!(lines.as_array().map(Vec::len), Some(1), "{action}: {lines}");
    }

    let again = accept(&api, "", &[short[0], ("name", "Eve"), ("password", PASSWORD)]).await;
    assert!(again.html.contains(WORTHLESS), "{}", again.html);
    assert!(visit(&api, "", &link).await.html.contains(WORTHLESS));
}

#[tokio::test]
async fn whoever_has_an_account_accepts_with_its_password_and_no_other() {
    let api = TestApi::start("invitation_account").await;
    // Belongs nowhere (any more), and so cannot sign in before.
    api.person(GRACE, &[]).await;
    let (link, token) = invite(&api, GRACE).await;
    let page = visit(&api, "", &link).await.html;
    assert!(page.contains("Your password") && !page.contains("name=\"name\""), "{page}");
    let token = ("token", token.as_str());
    let wrong = accept(&api, "", &[token, ("password", "another long password")]).await;
    assert!(wrong.html.contains("Wrong e-mail address or password"), "{}", wrong.html);
    assert_eq!(states(&api).await, ["pending"]);
    let done = accept(&api, "", &[token, ("password", PASSWORD)]).await;
    assert_eq!(done.location(), "/docs/");
    let me = api.browse(&done.cookie(), Method::GET, "/api/auth/me", None).await.body;
    assert_eq!((&me["user"]["name"], &me["user"]["email"]), (&json!("Ada"), &json!(GRACE)));
}

#[tokio::test]
async fn whoever_has_signed_in_accepts_with_one_button() {
    let api = TestApi::start("invitation_session").await;
    api.person(GRACE, &[(api.another_tenant().await, Role::Owner)]).await;
    let cookie = api.sign_in(GRACE).await;
    let (link, token) = invite(&api, GRACE).await;
    let page = visit(&api, &cookie, &link).await.html;
    assert!(page.contains("Accept") && !page.contains("type=\"password\""), "{page}");
    let fields = form(&[("token", token.as_str())]);
    for site in ["cross-site", "same-site", "none"] {
        let refused = submit(&api, &cookie, "/invitation", site, &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
    }
    let done = submit(&api, &cookie, "/invitation", "same-origin", &fields).await;
    assert_eq!(done.location(), "/docs/");
    let me = api.browse(&cookie, Method::GET, "/api/auth/me", None).await.body;
    assert_eq!(me["organizations"].as_array().map(Vec::len), Some(2), "{me}");
}

#[tokio::test]
async fn an_invitation_is_not_shown_to_anyone_but_its_addressee() {
    let api = TestApi::start("invitation_foreign").await;
    api.person("eve@example.com", &[(api.another_tenant().await, Role::Owner)]).await;
    let eve = api.sign_in("eve@example.com").await;
    let (link, token) = invite(&api, GRACE).await;
    let fields = [("token", token.as_str()), ("name", "Eve"), ("password", PASSWORD)];
    for page in [visit(&api, &eve, &link).await, accept(&api, &eve, &fields).await] {
        assert!(page.html.contains("for another e-mail address than yours"), "{}", page.html);
        assert!(!page.html.contains(GRACE) && !page.html.contains("member"), "{}", page.html);
        // There is a way out, and back to it.
        assert!(page.html.contains("action=\"/logout\""), "{}", page.html);
        assert!(page.html.contains("/login?next=%2Finvitation%3Ftoken%3Dwli_"), "{}", page.html);
    }
    assert_eq!(states(&api).await, ["pending"]);
}

#[tokio::test]
async fn what_is_worth_nothing_is_said_to_be_and_no_more() {
    let api = TestApi::start("invitation_worthless").await;
    let (expired, _) = invite(&api, GRACE).await;
    api.clock.advance(TimeDelta::days(7));
    let (revoked, _) = invite(&api, "ada@example.com").await;
    let path = format!("/api/organizations/{}/invitations", api.organization().await);
    let listed = api.get(&path).await.body;
    let id = listed[0]["id"].as_str().unwrap();
    api.delete(&format!("{path}/{id}")).await;
    let mut pages = Vec::new();
    for link in [
        &expired,
        &revoked,
        "/invitation?token=wli_nonsense",
        "/invitation",
        "/invitation?token=%22%3E%3Cb%3E",
    ] {
        let page = visit(&api, "", link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.html.contains(WORTHLESS), "{}", page.html);
        pages.push(page.html);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}
