//! The little of the HTTP API that tasks use.

use std::{error, fmt, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{ACCEPT, HeaderMap},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use self::sse::Parser;

mod sse;

/// Talks to one server as one caller.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// A project, as far as tasks look at it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
}

/// An environment, as far as tasks look at it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    /// Where its app answers.
    pub(crate) url: String,
    pub(crate) latest_deployment: Option<Deployment>,
}

/// A deployment, as far as tasks look at it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) build_id: String,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) text: String,
}

/// What work cost.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Usage {
    pub(crate) billable_cpu_seconds: u64,
    pub(crate) billable_build_count: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) build_count: u64,
}

/// The server answered, and not with success.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    body: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}: {}", self.status, self.body.trim())
    }
}

impl error::Error for Refused {}

/// Whether the same call may succeed later: the server was away, or said so.
pub(crate) fn is_passing(error: &anyhow::Error) -> bool {
    was_refused_with(error, StatusCode::SERVICE_UNAVAILABLE)
        || error.chain().any(<dyn error::Error>::is::<reqwest::Error>)
}

/// Whether what was asked for does not go together with how things are.
pub(crate) fn is_conflict(error: &anyhow::Error) -> bool {
    was_refused_with(error, StatusCode::CONFLICT)
}

fn was_refused_with(error: &anyhow::Error, status: StatusCode) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == status)
}

impl Deployment {
    /// Whether it is on its way.
    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.state.as_str(), "queued" | "building" | "deploying")
    }
}

impl Client {
    /// A caller with an API key. `base` is the server's address without `/api`.
    pub(crate) fn new(base: &str, key: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            // Longer than any answer is held back, and than the pause between keep-alives.
            .read_timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self { http, base: base.to_owned(), key: key.to_owned() })
    }

    /// Makes a project of a repository.
    pub(crate) async fn create_project(&self, body: &Value) -> anyhow::Result<Project> {
        self.post("/api/projects", body).await
    }

    /// Makes an environment of a branch, which deploys it.
    pub(crate) async fn create_environment(
        &self,
        project: &Project,
        branch: &str,
    ) -> anyhow::Result<Environment> {
        let path = format!("/api/projects/{}/environments", project.id);
        self.post(&path, &json!({ "branch": branch })).await
    }

    /// Deploys the branch's latest commit.
    pub(crate) async fn rebuild(&self, environment: &str) -> anyhow::Result<Deployment> {
        self.post(&format!("/api/environments/{environment}/rebuild"), &json!({})).await
    }

    /// Calls a deployment off.
    pub(crate) async fn cancel(&self, deployment: &str) -> anyhow::Result<()> {
        let path = format!("/api/deployments/{deployment}/cancel");
        self.send(self.request(&path, true).json(&json!({}))).await.map(drop)
    }

    /// Waits until a deployment is live or has ended otherwise.
    pub(crate) async fn settled(&self, deployment: &str) -> anyhow::Result<Deployment> {
        let path = format!("/api/deployments/{deployment}?wait=30");
        loop {
            let deployment: Deployment = self.get(&path).await?;
            if !deployment.is_moving() {
                return Ok(deployment);
            }
        }
    }

    /// Waits until a deployment is live; anything else is an error.
    pub(crate) async fn live(&self, deployment: &str) -> anyhow::Result<Deployment> {
        let deployment = self.settled(deployment).await?;
        if deployment.state == "live" {
            return Ok(deployment);
        }
        let reason = deployment.reason.as_deref().unwrap_or("no reason was given");
        bail!("the deployment is {}: {reason}", deployment.state);
    }

    /// Every deployment of an environment, newest first.
    pub(crate) async fn deployments(&self, environment: &str) -> anyhow::Result<Vec<Deployment>> {
        self.list(&format!("/api/environments/{environment}/deployments")).await
    }

    /// What everything has cost so far.
    pub(crate) async fn usage(&self) -> anyhow::Result<Usage> {
        self.get("/api/usage").await
    }

    /// A deployment's build log as it is stored, to its end or to where it has come.
    pub(crate) async fn log(&self, deployment: &str) -> anyhow::Result<Vec<Line>> {
        #[derive(Deserialize)]
        struct Part {
            lines: Vec<Line>,
        }
        let path = format!("/api/deployments/{deployment}/logs");
        let mut lines: Vec<Line> = Vec::new();
        loop {
            let query =
                lines.last().map_or_else(String::new, |line| format!("?after_seq={}", line.seq));
            let part: Part = self.get(&format!("{path}{query}")).await?;
            if part.lines.is_empty() {
                return Ok(lines);
            }
            lines.extend(part.lines);
        }
    }

    /// Reads a deployment's build log as it grows, from after line `after` on. Returns whether it
    /// has come to its end; otherwise the server went away.
    pub(crate) async fn follow_log(
        &self,
        deployment: &str,
        after: Option<u64>,
        mut each: impl FnMut(Line),
    ) -> anyhow::Result<bool> {
        let mut request = self.request(&format!("/api/deployments/{deployment}/logs"), false);
        request = request.header(ACCEPT, "text/event-stream");
        if let Some(seq) = after {
            request = request.header("last-event-id", seq.to_string());
        }
        let mut response = self.send(request).await?;
        let mut parser = Parser::default();
        // A stream that breaks off is what a killed server looks like.
        while let Ok(Some(bytes)) = response.chunk().await {
            for event in parser.push(&bytes) {
                match event.name.as_deref() {
                    Some("end") => return Ok(true),
                    None | Some("line" | "message") => {
                        let line: Line = serde_json::from_str(&event.data)
                            .with_context(|| format!("reading the log event {:?}", event.data))?;
                        each(line);
                    }
                    Some(other) => bail!("the log has an unknown event {other:?}"),
                }
            }
        }
        Ok(false)
    }

    /// A token for all that the caller may do.
    pub(crate) async fn create_token(&self, label: &str) -> anyhow::Result<String> {
        let created: Value = self.post("/api/auth/tokens", &json!({ "label": label })).await?;
        let token = created["token"].as_str().context("there is no token in the answer")?;
        Ok(token.to_owned())
    }

    /// Gives the owner an e-mail address and a password with the secret of a set-up link.
    /// Returns the cookie of the session that this begins, as `Cookie` has it.
    pub(crate) async fn claim_owner(&self, secret: &str) -> anyhow::Result<String> {
        let (path, password) = ("/api/auth/setup", "correct horse battery staple");
        let body = json!({
            "token": secret, "email": "ada@example.com", "name": "Ada", "password": password,
        });
        let answer = self.send(self.request(path, true).json(&body)).await?;
        let cookie = header(answer.headers(), "set-cookie").context("there is no session")?;
        let (pair, _) = cookie.split_once(';').context("the cookie has no attributes")?;
        Ok(pair.to_owned())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        read(self.send(self.request(path, false)).await?).await.with_context(|| path.to_owned())
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        let response = self.send(self.request(path, true).json(body)).await?;
        read(response).await.with_context(|| path.to_owned())
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Vec<T>> {
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let next = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let path = format!("{path}?limit=200{next}");
            let response = self.send(self.request(&path, false)).await?;
            cursor = header(response.headers(), "x-next-cursor");
            items.extend(read::<Vec<T>>(response).await.with_context(|| path.clone())?);
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    fn request(&self, path: &str, post: bool) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        let request = if post { self.http.post(url) } else { self.http.get(url) };
        request.bearer_auth(&self.key)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.context("calling the server")?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        Err(Refused { status, body }.into())
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let bytes = response.bytes().await.context("reading an answer")?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("understanding {}", String::from_utf8_lossy(&bytes)))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
