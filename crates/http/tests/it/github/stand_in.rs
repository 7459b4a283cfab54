//! Stands in for GitHub: a real HTTP server with the answers that GitHub documents.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use windlass_auth::IdentityService;
use windlass_github::{Github, GithubOptions};

pub(crate) const CLIENT_ID: &str = "Iv1.8a61f9b3a7aba766";
pub(crate) const CLIENT_SECRET: &str = "a secret that GitHub has given to this server";
/// What is registered with it.
pub(crate) const CALLBACK: &str = "https://windlass.example.com/api/auth/github/callback";

/// GitHub at an address, as the server asks it.
pub(crate) fn github_at(url: &str, client_secret: &str) -> Arc<dyn IdentityService> {
    let github = Github::new(GithubOptions {
        client_id: CLIENT_ID.to_owned(),
        client_secret: client_secret.into(),
        url: url.to_owned(),
        api_url: format!("{url}/api/v3"),
    });
    Arc::new(github.unwrap())
}

/// GitHub, in the test's hands. Clones are the same.
#[derive(Clone)]
pub(crate) struct StandIn {
    address: SocketAddr,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// Who sits at the browser that comes next, by GitHub's words.
    person: Value,
    emails: Value,
    /// Whether they refuse.
    denies: bool,
    codes: HashMap<String, Code>,
    /// Every code that was given out, and every access token.
    given: Vec<String>,
    tokens: HashMap<String, (Value, Value)>,
    /// What is answered instead to a path.
    instead: HashMap<&'static str, Instead>,
    asked: Vec<String>,
}

/// What somebody has allowed.
struct Code {
    challenge: String,
    redirect_uri: String,
    who: (Value, Value),
}

/// An answer that GitHub should not give.
#[derive(Clone)]
pub(crate) struct Instead(pub(crate) StatusCode, pub(crate) &'static str, pub(crate) String);

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let github = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let router = Router::new()
            .route("/login/oauth/authorize", get(authorize))
            .route("/login/oauth/access_token", post(redeem))
            .route("/api/v3/user", get(user))
            .route("/api/v3/user/emails", get(emails))
            .layer(from_fn_with_state(github.clone(), interfere))
            .with_state(github.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        github
    }

    /// As the server asks it.
    pub(crate) fn service(&self) -> Arc<dyn IdentityService> {
        github_at(&self.url(), CLIENT_SECRET)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has somebody sit at the browser whose one address is verified.
    pub(crate) fn seat(&self, id: u64, login: &str, email: &str) {
        self.seat_with(
            id,
            login,
            json!([
                { "email": "first@example.net", "primary": false, "verified": true, "visibility": null },
                { "email": email, "primary": true, "verified": true, "visibility": "public" },
            ]),
        );
    }

    /// The same with these addresses.
    pub(crate) fn seat_with(&self, id: u64, login: &str, emails: Value) {
        let mut inner = self.inner();
        inner.person =
            json!({ "login": login, "id": id, "name": format!("The {login}"), "email": null });
        inner.emails = emails;
    }

    /// Has whoever sits there refuse from now on.
    pub(crate) fn deny(&self) {
        self.inner().denies = true;
    }

    /// Has a path answer this from now on.
    pub(crate) fn answer(&self, path: &'static str, instead: Instead) {
        self.inner().instead.insert(path, instead);
    }

    /// The paths that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.inner().asked.clone()
    }

    /// Every secret that it has given out.
    pub(crate) fn given(&self) -> Vec<String> {
        self.inner().given.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }
}

async fn interfere(State(github): State<StandIn>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    assert!(request.headers().contains_key(header::USER_AGENT), "GitHub refuses others");
    github.inner().asked.push(path.clone());
    let instead = github.inner().instead.get(path.as_str()).cloned();
    match instead {
        Some(Instead(status, kind, body)) => {
            let headers = [(header::CONTENT_TYPE, kind), (header::LOCATION, "/api/v3/user")];
            (status, headers, body).into_response()
        }
        None => next.run(request).await,
    }
}

async fn authorize(
    State(github): State<StandIn>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let mut inner = github.inner();
    assert_eq!(asked["client_id"], CLIENT_ID);
    assert_eq!(asked["code_challenge_method"], "S256");
    let scopes: Vec<&str> = asked["scope"].split(' ').collect();
    assert_eq!(scopes, ["read:user", "user:email"]);
    if asked["redirect_uri"] != CALLBACK {
        let query = "error=redirect_uri_mismatch&error_description=The+redirect_uri+MUST+match";
        return Redirect::to(&format!("{CALLBACK}?{query}&state={}", asked["state"]))
            .into_response();
    }
    let answer = if inner.denies {
        "error=access_denied&error_description=The+user+has+denied+your+application+access.\
         &error_uri=https%3A%2F%2Fdocs.github.com%2Fapps"
            .to_owned()
    } else {
        let code = format!("e72e16c7e42f292c6912e7710c838347{:08x}", inner.given.len());
        let who = (inner.person.clone(), inner.emails.clone());
        let challenge = asked["code_challenge"].clone();
        let redirect_uri = asked["redirect_uri"].clone();
        inner.codes.insert(code.clone(), Code { challenge, redirect_uri, who });
        inner.given.push(code.clone());
        format!("code={code}")
    };
    Redirect::to(&format!("{CALLBACK}?{answer}&state={}", asked["state"])).into_response()
}

async fn redeem(State(github): State<StandIn>, headers: HeaderMap, body: String) -> Json<Value> {
    let asked: HashMap<String, String> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(headers[header::ACCEPT], "application/json");
    let mut inner = github.inner();
    let given = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if given("client_id") != CLIENT_ID || given("client_secret") != CLIENT_SECRET {
        return refusal(
            "incorrect_client_credentials",
            "The client_id and/or client_secret passed are incorrect.",
        );
    }
    let bad_code = || refusal("bad_verification_code", "The code passed is incorrect or expired.");
    // Good for once, whatever comes of it.
    let Some(code) = inner.codes.remove(given("code")) else { return bad_code() };
    if given("redirect_uri") != code.redirect_uri {
        return refusal("redirect_uri_mismatch", "The redirect_uri MUST match.");
    }
    let digest = Sha256::digest(given("code_verifier"));
    if BASE64_URL_SAFE_NO_PAD.encode(digest) != code.challenge {
        return bad_code();
    }
    let token = format!("gho_16C7e42F292c6912E7710c838347Ae178B4a{}", inner.tokens.len());
    inner.tokens.insert(token.clone(), code.who);
    inner.given.push(token.clone());
    Json(json!({ "access_token": token, "scope": "read:user,user:email", "token_type": "bearer" }))
}

/// Status 200, as GitHub has it.
fn refusal(code: &str, description: &str) -> Json<Value> {
    let uri = format!("/apps/managing-oauth-apps/troubleshooting#{code}");
    Json(json!({ "error": code, "error_description": description, "error_uri": uri }))
}

async fn user(State(github): State<StandIn>, headers: HeaderMap) -> Response {
    github.about(&headers, |(person, _)| person.clone())
}

async fn emails(State(github): State<StandIn>, headers: HeaderMap) -> Response {
    github.about(&headers, |(_, emails)| emails.clone())
}

impl StandIn {
    fn about(&self, headers: &HeaderMap, tell: impl Fn(&(Value, Value)) -> Value) -> Response {
        assert_eq!(headers[header::ACCEPT], "application/vnd.github+json");
        assert_eq!(headers["x-github-api-version"], "2022-11-28");
        let shown = headers[header::AUTHORIZATION].to_str().unwrap();
        let token = shown.strip_prefix("Bearer ").unwrap();
        if let Some(who) = self.inner().tokens.get(token) {
            return Json(tell(who)).into_response();
        }
        let body = json!({ "message": "Bad credentials", "status": "401" });
        (StatusCode::UNAUTHORIZED, Json(body)).into_response()
    }
}
