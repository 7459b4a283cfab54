//! A client of the API, and of the apps behind the ingress.

use std::{path::Path, time::Duration};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// How long a deployment may take, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(2);

/// A client with one credential.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    base: String,
    key: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        Self { client: Client::new(), base: base.to_owned(), key: key.to_owned() }
    }

    /// The same server with another credential.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// A request with the credential, still to be sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key)
    }

    /// A request of a browser that is on a page of ours and keeps this cookie, still to be sent.
    pub(crate) fn browse(
        &self,
        cookie: &str,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        request.header("Cookie", cookie).header("Sec-Fetch-Site", "same-origin")
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Creates a project for a repository and returns its id.
    pub(crate) async fn create_project(&self, repository: &Path, settings: Value) -> String {
        let mut body = json!({ "name": "shop", "git_url": repository });
        for (key, value) in settings.as_object().cloned().unwrap_or_default() {
            body[key] = value;
        }
        let answer = self.post("/api/projects", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Creates an environment and returns it, its first deployment on its way.
    pub(crate) async fn create_environment(&self, project: &str, branch: &str) -> Value {
        let path = format!("/api/projects/{project}/environments");
        let answer = self.post(&path, json!({ "branch": branch })).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.body
    }

    /// Deploys the repository's `main` in a new project, and waits for the outcome.
    pub(crate) async fn deploy(&self, repository: &Path, settings: Value) -> Deployed {
        let project = self.create_project(repository, settings).await;
        let environment = self.create_environment(&project, "main").await;
        let id = environment["latest_deployment"]["id"].as_str().unwrap();
        let deployment = self.settled(id).await;
        Deployed {
            project,
            environment: environment["id"].as_str().unwrap().to_owned(),
            host: host_of(&environment),
            deployment,
        }
    }

    /// Asks for a rebuild and returns the deployment's id.
    pub(crate) async fn rebuild(&self, environment: &str) -> String {
        let answer =
            self.post(&format!("/api/environments/{environment}/rebuild"), json!({})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a deployment is live or has ended.
    pub(crate) async fn settled(&self, deployment: &str) -> Value {
        let path = format!("/api/deployments/{deployment}?wait=30");
        self.until(&path, |body| {
            let state = body["state"].as_str().unwrap_or_default();
            !matches!(state, "queued" | "building" | "deploying")
        })
        .await
    }

    /// Asks again and again until the answer is as it should be.
    pub(crate) async fn until(&self, path: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if answer.status.is_success() && is_right(&answer.body) {
                return answer.body;
            }
            assert!(tokio::time::Instant::now() < deadline, "{path} stays {answer:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The lines of a log that were printed by the build or the app.
    pub(crate) async fn printed(&self, path: &str) -> Vec<String> {
        self.lines(path, |stream| stream != "system").await
    }

    /// The lines of a log that Windlass itself has added.
    pub(crate) async fn said(&self, path: &str) -> Vec<String> {
        self.lines(path, |stream| stream == "system").await
    }

    async fn lines(&self, path: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut printed = Vec::new();
        let mut after = 0;
        loop {
            let chunk = self.get(&format!("{path}?after_seq={after}&limit=1000")).await.body;
            let lines = chunk["lines"].as_array().unwrap_or_else(|| panic!("{chunk}"));
            for line in lines {
                after = line["seq"].as_u64().unwrap();
                if is_wanted(line["stream"].as_str().unwrap()) {
                    printed.push(line["text"].as_str().unwrap().to_owned());
                }
            }
            if lines.is_empty() {
                return printed;
            }
        }
    }

    /// Visits again and again until the status is as it should be: routes follow what a
    /// deployment's end has changed a moment later.
    pub(crate) async fn visit_until(&self, ingress: &str, host: &str, status: StatusCode) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.visit(ingress, host).await;
            if seen.0 == status {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{host} stays {seen:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What an app answers through the ingress: status and body.
    pub(crate) async fn visit(&self, ingress: &str, host: &str) -> (StatusCode, String) {
        let request = self.client.get(format!("http://{ingress}/")).header("Host", host);
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }
}

/// A deployment that has settled, and where it belongs.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) project: String,
    pub(crate) environment: String,
    pub(crate) host: String,
    pub(crate) deployment: Value,
}

impl Deployed {
    pub(crate) fn state(&self) -> &str {
        self.deployment["state"].as_str().unwrap()
    }

    pub(crate) fn reason(&self) -> &str {
        self.deployment["reason"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.deployment["id"].as_str().unwrap()
    }

    pub(crate) fn logs(&self) -> String {
        format!("/api/deployments/{}/logs", self.id())
    }
}

/// The host name of an environment's address, without its port.
pub(crate) fn host_of(environment: &Value) -> String {
    let url = environment["url"].as_str().unwrap();
    let authority = url.split("://").nth(1).unwrap();
    authority.split(':').next().unwrap().trim_end_matches('/').to_owned()
}
