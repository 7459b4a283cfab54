//! A stand-in for GitHub with one private repository, whose App is installed.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

/// What the repository can be read with.
pub(super) const TOKEN: &str = "ghs_t0psecret";
/// `x-access-token` and the token, as git says them.
const LOGIN: &str = "Basic eC1hY2Nlc3MtdG9rZW46Z2hzX3QwcHNlY3JldA==";

/// GitHub, for as long as the test runs.
pub(super) struct GitHub {
    address: String,
    world: Arc<World>,
}

struct World {
    repository: PathBuf,
    told: Mutex<Told>,
}

/// What it was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) statuses: Vec<Value>,
    pub(super) deployments: Vec<Value>,
    pub(super) deployment_statuses: Vec<Value>,
}

impl GitHub {
    pub(super) async fn start(repository: &Path) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let told = Mutex::new(Told::default());
        let world = Arc::new(World { repository: repository.to_owned(), told });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, world }
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What it was told, once a deployment and its commit are in this state.
    pub(super) async fn until_told(&self, state: &str) -> Told {
        for _ in 0..600 {
            let told = self.world.told.lock().unwrap().clone();
            let is = |all: &[Value]| all.last().is_some_and(|last| last["state"] == state);
            if is(&told.statuses) && is(&told.deployment_statuses) {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?}", self.world.told.lock().unwrap())
    }
}

async fn answer(
    State(world): State<Arc<World>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let said = headers.get("authorization").and_then(|said| said.to_str().ok());
    let said = said.unwrap_or_default().to_owned();
    if let Some(path) = uri.path().strip_prefix("/octo/shop.git") {
        if said != LOGIN {
            let asks = [("www-authenticate", "Basic realm=\"GitHub\"")];
            return (axum::http::StatusCode::UNAUTHORIZED, asks).into_response();
        }
        let path = format!("/.git{path}");
        let asked = move || ask_git(&world.repository, &path, &method, &uri, &headers, &body);
        return tokio::task::spawn_blocking(asked).await.unwrap();
    }
    let path = uri.path().strip_prefix("/api/v3").unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match world.answer(&method, path, &body, said == format!("Bearer {TOKEN}")) {
        Some(value) => axum::Json(value).into_response(),
        None => (axum::http::StatusCode::NOT_FOUND, axum::Json(json!({ "message": "Not Found" })))
            .into_response(),
    }
}

impl World {
    fn answer(&self, method: &Method, path: &str, body: &Value, is_known: bool) -> Option<Value> {
        let mut told = self.told.lock().unwrap();
        match (method.as_str(), path) {
            ("GET", "/repos/octo/shop/installation") => return Some(json!({ "id": 99 })),
            ("POST", "/app/installations/99/access_tokens") => {
                assert_eq!(body["repositories"], json!(["shop"]));
                return Some(json!({ "token": TOKEN, "expires_at": "2999-01-01T00:00:00Z" }));
            }
            _ if !is_known => return None,
            _ => {}
        }
        match (method.as_str(), path.strip_prefix("/repos/octo/shop")?) {
            ("GET", "/deployments") => Some(told.deployments.clone().into()),
            ("POST", "/deployments") => {
                let mut deployment = body.clone();
                deployment["id"] = 7.into();
                told.deployments.push(deployment.clone());
                Some(deployment)
            }
            ("GET", "/deployments/7/statuses") => Some(told.deployment_statuses.clone().into()),
            ("POST", "/deployments/7/statuses") => {
                let mut status = body.clone();
                status["id"] = told.deployment_statuses.len().into();
                told.deployment_statuses.push(status.clone());
                Some(status)
            }
            ("POST", path) if path.starts_with("/statuses/") => {
                told.statuses.push(body.clone());
                Some(body.clone())
            }
            _ => None,
        }
    }
}

/// By the Common Gateway Interface.
fn ask_git(
    root: &Path,
    path: &str,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let said = child.wait_with_output().unwrap().stdout;
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, content) = said.split_at(end + 4);
    let mut response = Response::new(Body::from(content.to_vec()));
    for line in String::from_utf8_lossy(head).lines() {
        match line.split_once(": ") {
            Some(("Status", status)) => {
                *response.status_mut() = status.split(' ').next().unwrap().parse().unwrap();
            }
            Some((name, value)) => {
                let name: axum::http::HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            None => {}
        }
    }
    response
}
