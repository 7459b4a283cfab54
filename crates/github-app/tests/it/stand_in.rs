//! A stand-in for GitHub that does what its documentation says, and checks what it asks for.

mod apps;
mod canned;
mod repositories;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use windlass_domain::{Clock as _, GithubRepo, test_util::ManualClock};
use windlass_github_app::{GitHubApp, GitHubAppConfig};

pub(crate) use canned::Canned;

pub(crate) const APP_ID: u64 = 4711;
pub(crate) const INSTALLATION: u64 = 99;
pub(crate) const KEY: &str = include_str!("keys/app.pem");
pub(crate) const OTHER_KEY: &str = include_str!("keys/other.pem");
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// How long an answer may take in tests.
const TIMEOUT: Duration = Duration::from_millis(500);
/// Where an Enterprise Server has its API.
const BASE: &str = "/api/v3";
const REPOSITORY: &str = "octo/shop";

/// GitHub, and what is known to it.
pub(crate) struct StandIn {
    address: String,
    pub(crate) clock: Arc<ManualClock>,
    world: Mutex<World>,
}

/// What GitHub knows, and what it was asked.
pub(crate) struct World {
    pub(crate) installed: bool,
    /// The permissions that the installation has.
    pub(crate) permissions: Value,
    tokens: Vec<Token>,
    pub(crate) statuses: Vec<Value>,
    pub(crate) deployments: Vec<Value>,
    pub(crate) deployment_statuses: Vec<Value>,
    pub(crate) comments: Vec<Value>,
    pub(crate) pulls: Vec<Value>,
    /// Whether comments tell by which App they were made.
    pub(crate) tells_app: bool,
    /// How many things a page has at most, and which host the address of the next one names.
    pub(crate) page_size: usize,
    pub(crate) links_to: Option<&'static str>,
    canned: Vec<(&'static str, Canned)>,
    /// `METHOD /path` of what was asked, without the base.
    pub(crate) asked: Vec<String>,
    last_id: u64,
}

struct Token {
    text: String,
    repositories: Vec<String>,
    permissions: Value,
    expires_at: DateTime<Utc>,
}

/// An answer, or why there is none.
type Answer = Result<Response, Refusal>;

/// A status, and what GitHub says to it.
struct Refusal(u16, &'static str);

impl StandIn {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let world = World {
            installed: true,
            permissions: json!({
                "contents": "write", "deployments": "write", "metadata": "read",
                "pull_requests": "write", "statuses": "write",
            }),
            tokens: vec![],
            statuses: vec![],
            deployments: vec![],
            deployment_statuses: vec![],
            comments: vec![],
            pulls: vec![],
            tells_app: true,
            page_size: 100,
            links_to: None,
            canned: vec![],
            asked: vec![],
            last_id: 1000,
        };
        let clock = Arc::new(ManualClock::default());
        let stand_in = Arc::new(Self { address, clock, world: Mutex::new(world) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&stand_in));
        tokio::spawn(async move { axum::serve(listener, router).await });
        stand_in
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn config(&self, key: &str) -> GitHubAppConfig {
        GitHubAppConfig {
            app_id: APP_ID,
            private_key: key.into(),
            api: format!("{}{BASE}", self.address).parse().unwrap(),
            timeout: TIMEOUT,
        }
    }

    pub(crate) fn app(&self) -> GitHubApp {
        GitHubApp::new(&self.config(KEY), self.clock.clone()).unwrap()
    }

    /// The next request whose `METHOD /path` contains this gets that answer.
    pub(crate) fn next(&self, request: &'static str, canned: Canned) {
        self.world().canned.push((request, canned));
    }

    /// How often something was asked whose `METHOD /path` begins like this.
    pub(crate) fn asked(&self, beginning: &str) -> usize {
        self.world().asked.iter().filter(|asked| asked.starts_with(beginning)).count()
    }
}

impl World {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

pub(crate) fn repository() -> GithubRepo {
    REPOSITORY.parse().unwrap()
}

impl Refusal {
    fn answer(self) -> Response {
        let Self(status, message) = self;
        let url = "https://docs.github.com/rest";
        found(status, &json!({ "message": message, "documentation_url": url }))
    }
}

fn found(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

async fn answer(
    State(stand_in): State<Arc<StandIn>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix(BASE).unwrap_or("/outside").to_owned();
    let asked = format!("{method} {path}");
    let canned = {
        let mut world = stand_in.world();
        world.asked.push(asked.clone());
        let place = world.canned.iter().position(|(request, _)| asked.contains(request));
        place.map(|place| world.canned.remove(place).1)
    };
    if let Some(canned) = canned {
        return canned.answer(&headers).await;
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if headers.get_all("user-agent").iter().count() != 1
        || !text("user-agent").starts_with("windlass/")
    {
        return Refusal(403, "Request forbidden by administrative rules.").answer();
    }
    if text("accept") != "application/vnd.github+json" {
        return Refusal(415, "Must accept 'application/json'").answer();
    }
    if text("x-github-api-version") != "2022-11-28" {
        return Refusal(400, "That is no version of the API").answer();
    }
    let Some(token) = text("authorization").strip_prefix("Bearer ") else {
        return Refusal(401, "Requires authentication").answer();
    };
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let request = Request { method, path, query, token: token.to_owned(), body };
    let answer = if request.is_for_app() {
        stand_in.answer_app(&request)
    } else {
        stand_in.answer_installation(&request)
    };
    answer.unwrap_or_else(Refusal::answer)
}

/// A request that is fit to be answered.
struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    token: String,
    body: Value,
}

impl Request {
    fn is_for_app(&self) -> bool {
        self.path.starts_with("/app") || self.path.ends_with("/installation")
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An hour, as GitHub gives.
const LIFETIME: TimeDelta = TimeDelta::hours(1);

impl StandIn {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
