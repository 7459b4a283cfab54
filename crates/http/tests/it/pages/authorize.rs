//! A program on somebody's own machine gets a token of theirs: what `windlass login` does.

use axum::http::{Method, StatusCode, header};
use chrono::TimeDelta;
use serde_json::{Value, json};
use windlass_auth::{CodeVerifier, Role};
use windlass_domain::OsEntropy;

use super::{Page, form, submit, visit};
use crate::harness::{Answer, TestApi};

const ADA: &str = "ada@example.com";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";
const EXCHANGE: &str = "/api/auth/login/exchange";

/// A program that wants in.
struct Program {
    verifier: CodeVerifier,
    asks: Vec<(&'static str, String)>,
}

impl Program {
    fn new() -> Self {
        let verifier = CodeVerifier::generate(&OsEntropy);
        let asks = vec![
            ("redirect_uri", REDIRECT.to_owned()),
            ("state", "s-1".to_owned()),
            ("code_challenge", verifier.challenge().to_string()),
            ("code_challenge_method", "S256".to_owned()),
            ("device", "ada's <laptop>".to_owned()),
        ];
        Self { verifier, asks }
    }

    /// The same with something else in one place.
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.asks.retain(|(asked, _)| *asked != name);
        self.asks.push((name, value.to_owned()));
        self
    }

    /// Where it sends the browser.
    fn link(&self) -> String {
        format!("/authorize?{}", self.form(&[]))
    }

    /// What the form of that page sends.
    fn form(&self, more: &[(&str, &str)]) -> String {
        let mut fields: Vec<(&str, &str)> =
            self.asks.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fields.extend(more);
        form(&fields)
    }

    /// Has somebody allow it who has signed in.
    async fn answer(&self, api: &TestApi, cookie: &str, answer: &str, organization: &str) -> Page {
        let me = api.browse(cookie, Method::GET, "/api/auth/me", None).await.body;
        let person = me["user"]["id"].as_str().unwrap_or_default();
        let more = [("answer", answer), ("person", person), ("organization", organization)];
        submit(api, cookie, "/authorize", "same-origin", &self.form(&more)).await
    }

    /// A code for it.
    async fn code(&self, api: &TestApi, cookie: &str) -> String {
        let organization = api.organization().await;
        let page = self.answer(api, cookie, "allow", &organization).await;
        let location = page.location().strip_prefix(REDIRECT).unwrap();
        let query = location.strip_prefix("?code=").unwrap();
        query.strip_suffix("&state=s-1").unwrap().to_owned()
    }

    fn body(&self, code: &str) -> Value {
        json!({
            "code": code,
            "code_verifier": self.verifier.expose(),
            "redirect_uri": REDIRECT,
        })
    }
}

async fn exchange(api: &TestApi, body: Value) -> Answer {
    let request = axum::http::Request::post(EXCHANGE);
    api.answer(crate::people::with_body(request, Some(body))).await
}

#[track_caller]
fn refused(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    assert_eq!(answer.body["code"], "invalid_code");
}

/// A server, and somebody who has signed in.
async fn with_ada(test: &str, role: Role) -> (TestApi, String) {
    let api = TestApi::start(test).await;
    api.person(ADA, &[(api.tenant().await, role)]).await;
    let cookie = api.sign_in(ADA).await;
    (api, cookie)
}

#[tokio::test]
async fn a_person_allows_it_and_the_program_acts_as_they_would() {
    let (api, cookie) = with_ada("authorize", Role::Admin).await;
    let program = Program::new();
    let page = visit(&api, &cookie, &program.link()).await;
    assert!(page.html.contains("windlass on ada&#39;s &lt;laptop&gt;"), "{}", page.html);
    assert!(page.html.contains("Ada (ada@example.com)"), "{}", page.html);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:49152;"), "{policy}");

    let code = program.code(&api, &cookie).await;
    let granted = exchange(&api, program.body(&code)).await;
    assert_eq!(granted.status, StatusCode::OK, "{}", granted.body);
    let ninety_days = api.clock_in(TimeDelta::days(90));
    assert_eq!(granted.body["label"], "windlass on ada's <laptop>");
    assert_eq!(granted.body["kind"], "login");
    assert_eq!(granted.body["expires_at"], ninety_days);
    let token = granted.body["token"].as_str().unwrap();
    let me = api.send(token, Method::GET, "/api/auth/me", None).await.body;
    assert_eq!(me["user"]["email"], ADA);
    assert_eq!(me["credential"]["kind"], "token");

    // It makes what its person could make, though not for longer than it lasts itself.
    let new = json!({ "name": "ci", "scopes": ["build"], "expires_at": ninety_days });
    let key = api.send(token, Method::POST, "/api/auth/api-keys", Some(new)).await;
    assert_eq!(key.status, StatusCode::CREATED, "{}", key.body);
    let new = json!({ "name": "ci", "scopes": ["build"] });
    let longer = api.send(token, Method::POST, "/api/auth/api-keys", Some(new)).await;
    assert_eq!(longer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", longer.body);
    let listed = api.get("/api/auth/tokens").await.body;
    assert_eq!(listed[0]["id"], granted.body["id"]);

    for (action, kind) in [("grant_login_code", "user"), ("exchange_login_code", "token")] {
        let lines = api.get(&format!("/api/audit?action={action}")).await.body;
        let [line] = lines.as_array().unwrap().as_slice() else { panic!("{lines}") };
        assert_eq!(line["target"]["kind"], kind, "{line}");
        assert_eq!(line["actor"]["user_id"], me["user"]["id"], "{line}");
    }
}

#[tokio::test]
async fn its_token_never_has_more_than_its_person_and_ends_with_their_place() {
    let (api, cookie) = with_ada("authorize_role", Role::Member).await;
    let program = Program::new();
    let granted = exchange(&api, program.body(&program.code(&api, &cookie).await)).await.body;
    let token = granted["token"].as_str().unwrap();
    let create = async || {
        let body = json!({ "name": "shop", "git_url": "https://git.example.com/shop.git" });
        api.send(token, Method::POST, "/api/projects", Some(body)).await.status
    };
    assert_eq!(create().await, StatusCode::CREATED);
    let keys = api.send(token, Method::GET, "/api/auth/api-keys", None).await;
    let new = json!({ "name": "ci", "scopes": [] });
    let key = api.send(token, Method::POST, "/api/auth/api-keys", Some(new)).await;
    assert_eq!((keys.status, key.status), (StatusCode::OK, StatusCode::FORBIDDEN));

    let person = granted["created_by"].as_str().unwrap();
    let member = format!("/api/organizations/{}/members/{person}", api.organization().await);
    api.patch(&member, json!({ "role": "viewer" })).await;
    assert_eq!(create().await, StatusCode::FORBIDDEN);
    api.delete(&member).await;
    assert_eq!(create().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_is_a_viewer_ends_their_own_login() {
    let (api, cookie) = with_ada("authorize_end", Role::Viewer).await;
    let program = Program::new();
    let granted = exchange(&api, program.body(&program.code(&api, &cookie).await)).await.body;
    let token = granted["token"].as_str().unwrap();
    let end = async |credential: &str| {
        api.send(credential, Method::DELETE, "/api/auth/token", None).await
    };
    assert_eq!(end(token).await.status, StatusCode::NO_CONTENT);
    assert_eq!(end(token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.get("/api/auth/tokens").await.body[0]["status"], "revoked");
    let key = end(&api.owner).await;
    assert_eq!((key.status, &key.body["code"]), (StatusCode::FORBIDDEN, &json!("token_required")));
    let in_browser = api.browse(&cookie, Method::DELETE, "/api/auth/token", None).await;
    assert_eq!(in_browser.body["code"], "token_required");
}

#[tokio::test]
async fn a_login_that_was_narrowed_is_a_token_like_any_other() {
    let (api, cookie) = with_ada("authorize_narrowed", Role::Owner).await;
    let program = Program::new();
    let granted = exchange(&api, program.body(&program.code(&api, &cookie).await)).await.body;
    let token = granted["token"].as_str().unwrap();
    let narrowing = windlass_auth::Narrowing {
        permissions: Some(vec![windlass_auth::Permission::ProjectsRead]),
        ..windlass_auth::Narrowing::default()
    };
    let narrow = windlass_auth::attenuate(token, &narrowing, &OsEntropy).unwrap();
    let send = async |method, path: &str, body| api.send(narrow.expose(), method, path, body).await;
    assert_eq!(send(Method::GET, "/api/projects", None).await.status, StatusCode::OK);
    let key = json!({ "name": "ci", "scopes": [] });
    for (path, body) in
        [("/api/auth/api-keys", key), ("/api/auth/tokens", json!({ "label": "wider" }))]
    {
        let refused = send(Method::POST, path, Some(body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.body);
    }
    // Ending it leaves what it was made of.
    assert_eq!(send(Method::DELETE, "/api/auth/token", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(send(Method::GET, "/api/projects", None).await.status, StatusCode::UNAUTHORIZED);
    let whole = api.send(token, Method::GET, "/api/projects", None).await;
    assert_eq!(whole.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_the_program_that_has_asked() {
    let (api, cookie) = with_ada("authorize_once", Role::Owner).await;
    let (program, other) = (Program::new(), Program::new());
    let code = program.code(&api, &cookie).await;
    assert_eq!(exchange(&api, program.body(&code)).await.status, StatusCode::OK);
    refused(&exchange(&api, program.body(&code)).await);

    // Whoever finds one has nothing, and nobody tries twice.
    let code = program.code(&api, &cookie).await;
    refused(&exchange(&api, other.body(&code)).await);
    refused(&exchange(&api, program.body(&code)).await);

    let code = program.code(&api, &cookie).await;
    let mut elsewhere = program.body(&code);
    elsewhere["redirect_uri"] = "http://127.0.0.1:49153/callback".into();
    refused(&exchange(&api, elsewhere).await);
    refused(&exchange(&api, program.body(&code)).await);

    refused(&exchange(&api, program.body("wlc_made-up")).await);
    let mut foreign = program.body("wlc_made-up");
    foreign["redirect_uri"] = "https://evil.example/".into();
    foreign["code_verifier"] = "short".into();
    let answer = exchange(&api, foreign).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.body["fields"].as_array().map(Vec::len), Some(2));
    assert_eq!(api.get("/api/auth/tokens").await.body.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_code_is_good_for_a_minute_and_while_its_person_belongs_there() {
    let (api, cookie) = with_ada("authorize_expired", Role::Member).await;
    let program = Program::new();
    let late = program.code(&api, &cookie).await;
    api.clock.advance(TimeDelta::minutes(1));
    refused(&exchange(&api, program.body(&late)).await);

    let code = program.code(&api, &cookie).await;
    let me = api.browse(&cookie, Method::GET, "/api/auth/me", None).await.body;
    let (organization, person) = (api.organization().await, me["user"]["id"].as_str().unwrap());
    api.delete(&format!("/api/organizations/{organization}/members/{person}")).await;
    refused(&exchange(&api, program.body(&code)).await);
}

#[tokio::test]
async fn a_person_in_several_organizations_chooses_one() {
    let api = TestApi::start("authorize_choice").await;
    let (first, other) = (api.tenant().await, api.another_tenant().await);
    api.person(ADA, &[(first, Role::Viewer), (other, Role::Owner)]).await;
    let cookie = api.sign_in(ADA).await;
    let program = Program::new();
    let page = visit(&api, &cookie, &program.link()).await.html;
    for organization in [first, other] {
        assert!(page.contains(&format!("<option value=\"{organization}\">")), "{page}");
    }
    let allowed = program.answer(&api, &cookie, "allow", &other.to_string()).await;
    let code = allowed.location().split(['=', '&']).nth(1).unwrap().to_owned();
    let granted = exchange(&api, program.body(&code)).await.body;
    let token = granted["token"].as_str().unwrap();
    let me = api.send(token, Method::GET, "/api/auth/me", None).await.body;
    assert_eq!(
        me["organizations"],
        json!([{ "id": other.to_string(), "name": "Other", "role": "owner" }])
    );

    // Nobody chooses one that is not theirs.
    let stranger = api.another_tenant().await.to_string();
    for chosen in [stranger.as_str(), "", "org_1"] {
        let page = program.answer(&api, &cookie, "allow", chosen).await;
        assert!(page.html.contains("no such organization"), "{}", page.html);
    }
}

#[tokio::test]
async fn whoever_has_not_signed_in_does_it_on_the_way() {
    let (api, _) = with_ada("authorize_sign_in", Role::Owner).await;
    let program = Program::new();
    let page = visit(&api, "", &program.link()).await;
    let login = page.location().to_owned();
    assert!(login.starts_with("/login?next=%2Fauthorize%3F"), "{login}");
    let next = form_urlencoded::parse(login.split_once('?').unwrap().1.as_bytes());
    let next = next.into_owned().next().unwrap().1;
    let fields = [("next", next.as_str()), ("email", ADA), ("password", crate::people::PASSWORD)];
    let done = submit(&api, "", "/login", "same-origin", &form(&fields)).await;
    let page = visit(&api, &done.cookie(), done.location()).await;
    assert!(page.html.contains("windlass on ada&#39;s &lt;laptop&gt;"), "{}", page.html);

    // The same where the session has ended while the page was open.
    let more = [("answer", "allow"), ("person", ""), ("organization", "")];
    let sent = submit(&api, "", "/authorize", "same-origin", &program.form(&more)).await;
    assert_eq!(sent.location(), login);
}

#[tokio::test]
async fn nobody_else_allows_it_for_them() {
    let (api, cookie) = with_ada("authorize_others", Role::Owner).await;
    api.person("eve@example.com", &[(api.tenant().await, Role::Owner)]).await;
    let eve = api.sign_in("eve@example.com").await;
    let (program, organization) = (Program::new(), api.organization().await);
    let me = api.browse(&cookie, Method::GET, "/api/auth/me", None).await.body;
    let person = me["user"]["id"].as_str().unwrap();
    let more = [("answer", "allow"), ("person", person), ("organization", organization.as_str())];
    let form = program.form(&more);
    for site in ["cross-site", "same-site", "none"] {
        let refused = submit(&api, &cookie, "/authorize", site, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
    }
    // The page was drawn for Ada, and Eve has signed in since.
    let page = submit(&api, &eve, "/authorize", "same-origin", &form).await;
    assert!(page.html.contains("Somebody else has signed in meanwhile"), "{}", page.html);
    assert!(page.html.contains("eve@example.com"), "{}", page.html);
    // A look alone gives nothing out.
    for _ in 0..2 {
        assert_eq!(visit(&api, &cookie, &program.link()).await.status, StatusCode::OK);
    }
    let lines = api.get("/api/audit?action=grant_login_code&outcome=done").await.body;
    assert_eq!(lines, json!([]));
    let denied = program.answer(&api, &cookie, "deny", &organization).await;
    assert_eq!(denied.location(), format!("{REDIRECT}?error=access_denied&state=s-1"));
}

#[tokio::test]
async fn a_code_goes_to_a_program_on_the_browsers_own_machine_alone() {
    let (api, cookie) = with_ada("authorize_redirect", Role::Owner).await;
    for (name, value) in [
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://localhost:8080/callback"),
        ("redirect_uri", "http://127.0.0.1:80@evil.example/"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", ""),
        ("state", ""),
        ("state", "a b"),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("device", "invisible \u{202e}"),
        ("device", &"x".repeat(100)),
        ("expires_in_seconds", "0"),
        ("expires_in_seconds", "-1"),
        ("expires_in_seconds", "86400001"),
        ("expires_in_seconds", "99999999999999999999"),
    ] {
        let program = Program::new().with(name, value);
        let page = visit(&api, &cookie, &program.link()).await;
        assert!(page.html.contains("This link is not whole"), "{name}: {}", page.html);
        for answer in ["allow", "deny"] {
            let organization = api.organization().await;
            let page = program.answer(&api, &cookie, answer, &organization).await;
            assert!(page.html.contains("This link is not whole"), "{name}: {}", page.html);
            assert!(!page.headers.contains_key(header::LOCATION));
        }
    }
    let program = Program::new().with("expires_in_seconds", "3600");
    let granted = exchange(&api, program.body(&program.code(&api, &cookie).await)).await.body;
    assert_eq!(granted["expires_at"], api.clock_in(TimeDelta::hours(1)));
}

impl TestApi {
    /// A time to come, as the API writes it.
    fn clock_in(&self, after: TimeDelta) -> Value {
        use windlass_domain::Clock as _;
        json!(self.clock.now() + after)
    }
}
