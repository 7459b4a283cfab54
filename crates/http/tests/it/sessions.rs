//! Signing in and out, and what a session opens.

use axum::http::{Method, Request, StatusCode, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use windlass_auth::Role;

use crate::{
    contract::operations,
    harness::{Answer, TestApi},
    people::{HOST, PASSWORD, with_body},
};

const ADA: &str = "ada@example.com";
const SESSIONS: &str = "/api/auth/sessions";
const LOGIN: &str = "/api/auth/login";

async fn me(api: &TestApi, cookie: &str) -> Answer {
    api.browse(cookie, Method::GET, "/api/auth/me", None).await
}

/// A server, and Ada who has signed in.
async fn with_ada(test: &str) -> (TestApi, String) {
    let api = TestApi::start(test).await;
    api.person(ADA, &[(api.tenant().await, Role::Owner)]).await;
    let cookie = api.sign_in(ADA).await;
    (api, cookie)
}

fn set_cookie(answer: &Answer) -> &str {
    answer.headers[header::SET_COOKIE].to_str().unwrap()
}

#[tokio::test]
async fn a_person_signs_in_and_out_again() {
    let (api, cookie) = with_ada("sign_in_and_out").await;
    let found = me(&api, &cookie).await;
    assert_eq!(found.body["user"]["email"], ADA);
    assert_eq!(found.body["credential"]["kind"], "session");
    let listed = api.browse(&cookie, Method::GET, SESSIONS, None).await.body;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], found.body["credential"]["id"]);
    assert_eq!(listed[0]["user_agent"], "Mozilla/5.0 (Test)");
    assert_eq!(listed[0]["is_current"], true);

    let out = api.browse(&cookie, Method::POST, "/api/auth/logout", None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(set_cookie(&out).starts_with("__Host-windlass_session=; Path=/; Max-Age=0"));
    let refused = me(&api, &cookie).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.body["message"], "Invalid or expired session");
}

#[tokio::test]
async fn signing_in_and_out_and_another_password_are_written_down() {
    let (api, cookie) = with_ada("sessions_audit").await;
    let body = json!({ "current_password": PASSWORD, "new_password": "a new password" });
    api.browse(&cookie, Method::PUT, "/api/auth/password", Some(body)).await;
    api.browse(&cookie, Method::POST, "/api/auth/logout", None).await;
    api.try_sign_in(ADA, PASSWORD).await;

    let mut seen = Vec::new();
    for action in ["login", "change_password", "logout", "authenticate"] {
        let lines = api.get(&format!("/api/audit?action={action}")).await.body;
        let line = &lines[0];
        let told = [&line["actor"]["kind"], &line["target"]["kind"], &line["outcome"]];
        let told = told.map(|text| text.as_str().unwrap_or_default().to_owned());
        assert!(!lines.to_string().contains("password\":"), "{lines}");
        seen.push((action, told.join(" ")));
    }
    let expected = [
        ("login", "person session done"),
        ("change_password", "session user done"),
        ("logout", "session session done"),
        ("authenticate", "  refused"),
    ];
    assert_eq!(seen, expected.map(|(action, told)| (action, told.to_owned())));
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone_and_no_script_reads_it() {
    let (api, _) = with_ada("cookie").await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    let answer = api.try_sign_in(ADA, PASSWORD).await;
    let (name, attributes) = set_cookie(&answer).split_once("=eyJ").unwrap();
    assert_eq!(name, "__Host-windlass_session");
    let (_, attributes) = attributes.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
    assert!(!answer.body.to_string().contains("eyJ"), "it is nowhere but in the cookie");

    // Without TLS, and on this machine only.
    let here = Request::post(LOGIN).header(header::HOST, "localhost:8080");
    let answer = api.answer(with_body(here, Some(body))).await;
    let cookie = set_cookie(&answer);
    assert!(cookie.starts_with("windlass_session=eyJ") && !cookie.contains("Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let ask = |host| {
        let request = Request::get("/api/auth/me").header(header::HOST, host);
        api.answer(with_body(request.header(header::COOKIE, &cookie), None))
    };
    assert_eq!(ask("127.0.0.1:8080").await.status, StatusCode::OK);
    assert_eq!(ask(HOST).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_learns_which_accounts_exist() {
    let (api, _) = with_ada("which_accounts").await;
    let nowhere = api.try_sign_in("unknown@example.com", PASSWORD).await;
    assert_eq!(nowhere.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nowhere.body["code"], "wrong_password");
    for (email, password) in
        [(ADA, "another long password"), (ADA, "short"), ("unknown@example.com", "short")]
    {
        let answer = api.try_sign_in(email, password).await;
        assert_eq!(answer.status, nowhere.status);
        for field in ["error", "message", "code"] {
            assert_eq!(answer.body[field], nowhere.body[field]);
        }
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

#[tokio::test]
async fn timing_does_not_tell_which_accounts_exist() {
    let (api, _) = with_ada("timing").await;
    let mut costs = Vec::new();
    for email in [ADA, "unknown@example.com"] {
        let before = (api.passwords.computed(), api.passwords.blocks());
        api.try_sign_in(email, "another long password").await;
        let after = (api.passwords.computed(), api.passwords.blocks());
        costs.push((after.0 - before.0, after.1 - before.1));
    }
    assert_eq!(costs[0].0, 1);
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn a_header_wins_over_a_cookie() {
    let (api, cookie) = with_ada("header_wins").await;
    let ask = |authorization: String| {
        let request = TestApi::by_browser(&cookie, Method::GET, "/api/auth/me");
        let request = request.header(header::AUTHORIZATION, authorization);
        api.answer(with_body(request, None))
    };
    let by_key = ask(format!("Bearer {}", api.owner)).await;
    assert_eq!(by_key.body["credential"]["kind"], "api_key");
    let wrong = ask("Bearer wls_wrong".to_owned()).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_sites_page_changes_nothing_with_a_session() {
    let (api, cookie) = with_ada("csrf").await;
    let foreign: [&[(&str, &str)]; 6] = [
        &[],
        &[("Sec-Fetch-Site", "cross-site")],
        // Apps of this server are on the same site.
        &[("Sec-Fetch-Site", "same-site"), ("Origin", "https://shop.windlass.example.com")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
    ];
    let request = |method: Method, path: &str, headers: &[(&str, &str)]| {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST);
        let request = request.header(header::COOKIE, &cookie);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let body = || Some(json!({ "name": "shop", "github_repo": "octocat/shop" }));
    for headers in foreign {
        for (method, path) in [
            (Method::POST, "/api/projects"),
            (Method::POST, "/api/auth/logout"),
            (Method::DELETE, "/api/auth/sessions/ses_01kdvdna00000000000000000b"),
        ] {
            let asked = request(method.clone(), path, headers);
            let answer = api.answer(with_body(asked, body())).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {headers:?}");
            assert_eq!(answer.body["code"], "foreign_origin");
        }
        let looked = api.answer(with_body(request(Method::GET, "/api/projects", headers), None));
        assert_eq!(looked.await.body, json!([]), "nothing was created, and looking is harmless");
    }
    for headers in
        [[("Sec-Fetch-Site", "same-origin")], [("Origin", "https://windlass.example.com")]]
    {
        let asked = request(Method::POST, "/api/projects", &headers);
        let answer = api.answer(with_body(asked, body())).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{headers:?} {}", answer.body);
    }
}

#[tokio::test]
async fn another_sites_page_signs_nobody_in() {
    let (api, _) = with_ada("login_csrf").await;
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
        let request = Request::post(LOGIN).header(header::HOST, HOST).header(name, value);
        let body = json!({ "email": ADA, "password": PASSWORD });
        let answer = api.answer(with_body(request, Some(body))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

#[tokio::test]
async fn a_session_chooses_among_the_organizations_of_its_person() {
    let api = TestApi::start("org_id").await;
    let (ours, theirs) = (api.tenant().await, api.another_tenant().await);
    api.person(ADA, &[(ours, Role::Viewer), (theirs, Role::Owner)]).await;
    let cookie = api.sign_in(ADA).await;

    let found = me(&api, &cookie).await.body;
    let places: Vec<(&str, &str)> = found["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| (place["id"].as_str().unwrap(), place["role"].as_str().unwrap()))
        .collect();
    let (ours, theirs) = (ours.to_string(), theirs.to_string());
    assert_eq!(places, [(ours.as_str(), "viewer"), (theirs.as_str(), "owner")]);

    let body = || Some(json!({ "name": "shop", "github_repo": "octocat/shop" }));
    let create = |query: String| {
        let (api, cookie) = (&api, &cookie);
        let path = format!("/api/projects{query}");
        async move { api.browse(cookie, Method::POST, &path, body()).await }
    };
    let as_viewer = create(String::new()).await;
    assert_eq!(as_viewer.status, StatusCode::FORBIDDEN);
    assert_eq!(as_viewer.body["message"], "Your role does not have 'projects:write' scope");
    assert_eq!(create(format!("?orgId={theirs}")).await.status, StatusCode::CREATED);
    assert_eq!(api.get("/api/projects").await.body, json!([]), "it is in the other organization");

    let strange = "org_01kdvdna000000000000000000";
    let refused = create(format!("?orgId={strange}")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["code"], "wrong_organization");
    for query in ["?orgId=", "?orgId=acme", "?orgId=usr_01kdvdna000000000000000000"] {
        assert_eq!(create(query.to_owned()).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let twice = create(format!("?orgId={theirs}&orgId={theirs}")).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_key_or_token_names_its_own_organization_or_none() {
    let api = TestApi::start("org_id_keys").await;
    let (ours, theirs) = (api.tenant().await, api.another_tenant().await);
    let token = api.post("/api/auth/tokens", json!({ "label": "x" })).await;
    for credential in [api.owner.clone(), token.body["token"].as_str().unwrap().to_owned()] {
        for (organization, expected) in [(ours, StatusCode::OK), (theirs, StatusCode::FORBIDDEN)] {
            let path = format!("/api/projects?orgId={organization}");
            let answer = api.send(&credential, Method::GET, &path, None).await;
            assert_eq!(answer.status, expected, "{}", answer.body);
        }
    }
}

#[test]
fn every_operation_that_takes_a_credential_takes_an_organization() {
    for (path, method, operation) in operations() {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let takes = parameters.iter().any(|parameter| parameter["name"] == "orgId");
        let security = operation["security"].as_array().unwrap();
        assert_eq!(takes, !security.is_empty(), "{method} {path}");
        let by_session = security.iter().any(|way| way.get("session").is_some());
        assert_eq!(by_session, !security.is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn keys_and_tokens_do_not_stand_for_a_person() {
    let api = TestApi::start("session_required").await;
    for (method, path, body) in [
        (Method::GET, SESSIONS, None),
        (Method::POST, "/api/auth/logout", None),
        (
            Method::PUT,
            "/api/auth/password",
            Some(json!({ "current_password": PASSWORD, "new_password": PASSWORD })),
        ),
    ] {
        let answer = api.send(&api.owner, method, path, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(answer.body["code"], "session_required");
    }
}

#[tokio::test]
async fn one_ends_ones_own_sessions_and_nobody_elses() {
    let (api, cookie) = with_ada("end_sessions").await;
    api.person("eve@example.com", &[(api.tenant().await, Role::Owner)]).await;
    let (second, eve) = (api.sign_in(ADA).await, api.sign_in("eve@example.com").await);
    let id_of = async |cookie: &str| me(&api, cookie).await.body["credential"]["id"].clone();
    let path = format!("{SESSIONS}/{}", id_of(&second).await.as_str().unwrap());

    let by_eve = api.browse(&eve, Method::DELETE, &path, None).await;
    assert_eq!(by_eve.status, StatusCode::NOT_FOUND);
    let ended = api.browse(&cookie, Method::DELETE, &path, None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(me(&api, &second).await.status, StatusCode::UNAUTHORIZED);
    let again = api.browse(&cookie, Method::DELETE, &path, None).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    for cookie in [&cookie, &eve] {
        assert_eq!(me(&api, cookie).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let (api, cookie) = with_ada("change_password").await;
    let second = api.sign_in(ADA).await;
    let change = |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        let (api, cookie) = (&api, &cookie);
        async move { api.browse(cookie, Method::PUT, "/api/auth/password", Some(body)).await }
    };
    let refused = change("not my password", "a new password").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["message"], "current_password is not your password");
    let short = change(PASSWORD, "too short").await;
    assert_eq!(short.body["message"], "new_password must be 12 to 1024 characters long");
    assert_eq!(me(&api, &second).await.status, StatusCode::OK, "nothing has changed yet");

    assert_eq!(change(PASSWORD, "a new password").await.status, StatusCode::NO_CONTENT);
    assert_eq!(me(&api, &second).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&api, &cookie).await.status, StatusCode::OK);
    assert_eq!(api.try_sign_in(ADA, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.try_sign_in(ADA, "a new password").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_guesses_too_often_has_to_wait() {
    let (api, cookie) = with_ada("guessing").await;
    api.person("eve@example.com", &[(api.tenant().await, Role::Owner)]).await;
    for _ in 0..10 {
        let answer = api.try_sign_in(ADA, "a wrong password").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let before = api.passwords.computed();
    let refused = api.try_sign_in(ADA, PASSWORD).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.body["code"], "too_many_attempts");
    let after: i64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert_eq!(api.passwords.computed(), before, "nothing was computed for it");
    assert_eq!(me(&api, &cookie).await.status, StatusCode::OK, "who is in stays in");
    assert_eq!(api.try_sign_in("eve@example.com", PASSWORD).await.status, StatusCode::OK);

    api.clock.advance(TimeDelta::seconds(after));
    assert_eq!(api.try_sign_in(ADA, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_belongs_nowhere_cannot_sign_in() {
    let api = TestApi::start("belongs_nowhere").await;
    api.person(ADA, &[]).await;
    let refused = api.try_sign_in(ADA, PASSWORD).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["code"], "no_organization");
    let guessed = api.try_sign_in(ADA, "a wrong password").await;
    assert_eq!(guessed.status, StatusCode::UNAUTHORIZED, "only who knows the password is told");
}

#[tokio::test]
async fn a_session_is_over_at_its_time_and_after_disuse() {
    let (api, cookie) = with_ada("over").await;
    api.clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(me(&api, &cookie).await.status, StatusCode::OK);
    api.clock.advance(TimeDelta::days(7));
    assert_eq!(me(&api, &cookie).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nonsense_in_a_cookie_is_a_401() {
    let api = TestApi::start("nonsense_cookie").await;
    for value in ["x", "eyJ.eyJ.eyJ", "a=b=c", &"y".repeat(8_000), "wls_1_2", "%00", "\"\""] {
        let cookie = format!("__Host-windlass_session={value}");
        let answer = me(&api, &cookie).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{value}");
        assert_eq!(answer.body["message"], Value::from("Invalid or expired session"));
    }
}
