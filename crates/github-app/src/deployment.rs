//! What GitHub shows of a deployment.

use octocrab::Page;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use windlass_domain::{CommitId, GithubRepo};

use crate::{
    GitHubApp, GitHubAppError,
    api::{Ask, next_page, pages, with_query},
    permission::Permission,
    repository::route,
    text,
};

/// The name of our key in a deployment's payload.
const KEY: &str = "windlass";
const PERMISSION: Permission = Permission::WriteDeployments;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    /// It waits.
    Queued,
    /// It is being built or started.
    InProgress,
    /// It answers.
    Success,
    /// It cannot be built or does not answer.
    Failure,
    /// That cannot be known, by a fault of ours.
    Error,
    /// Another one has taken its place, or the environment is gone.
    Inactive,
}

impl DeploymentState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Inactive => "inactive",
        }
    }
}

/// What is to be shown of a deployment.
#[derive(Debug, Clone)]
pub struct DeploymentReport {
    /// By what it is known to us. GitHub keeps it, so that a second report finds the first.
    pub key: String,
    /// What is deployed.
    pub commit: CommitId,
    /// Where to, as people call it.
    pub environment: String,
    /// Whether people use that environment for real.
    pub production: bool,
    /// Whether it goes away again, as previews do.
    pub transient: bool,
    /// How far it is.
    pub state: DeploymentState,
    /// A sentence. GitHub takes 140 characters; what is longer ends with `…`.
    pub description: String,
    /// Where its log is.
    pub log_url: Option<Url>,
    /// Where it can be visited.
    pub environment_url: Option<Url>,
}

/// One of `GET /repos/{owner}/{repo}/deployments`
#[derive(Deserialize)]
struct Deployment {
    id: u64,
    #[serde(default)]
    payload: Value,
}

/// One of `GET /repos/{owner}/{repo}/deployments/{id}/statuses`
#[derive(Deserialize)]
struct Status {
    id: u64,
    state: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    log_url: Option<String>,
    #[serde(default)]
    environment_url: Option<String>,
}

impl GitHubApp {
    /// Shows how far a deployment is. GitHub's deployment is made by the first report of a key, and
    /// a status only where the newest one says something else. None is made only to be inactive.
    pub async fn report_deployment(
        &self,
        repository: &GithubRepo,
        report: &DeploymentReport,
    ) -> Result<(), GitHubAppError> {
        let id = match (self.find_deployment(repository, report).await?, report.state) {
            (Some(id), _) => id,
            (None, DeploymentState::Inactive) => return Ok(()),
            (None, _) => self.create_deployment(repository, report).await?,
        };
        let statuses = route(repository, &format!("/deployments/{id}/statuses"));
        let ask = Ask::get(with_query(&statuses, &[("per_page", "100")]));
        let shown: Page<Status> = self.ask_about(repository, PERMISSION, &ask).await?;
        let newest = shown.items.iter().max_by_key(|status| status.id);
        if newest.is_some_and(|newest| newest.says(report)) {
            return Ok(());
        }
        let mut body = json!({
            "state": report.state,
            "description": text::description(&report.description),
            "environment": report.environment,
        });
        for (name, url) in
            [("log_url", &report.log_url), ("environment_url", &report.environment_url)]
        {
            if let Some(url) = url {
                body[name] = url.as_str().into();
            }
        }
        let ask = Ask::post(statuses, body);
        let _: Status = self.ask_about(repository, PERMISSION, &ask).await?;
        Ok(())
    }

    async fn find_deployment(
        &self,
        repository: &GithubRepo,
        report: &DeploymentReport,
    ) -> Result<Option<u64>, GitHubAppError> {
        let wanted = [
            ("sha", report.commit.as_str()),
            ("environment", report.environment.as_str()),
            ("per_page", "100"),
        ];
        let mut ask = Ask::get(with_query(&route(repository, "/deployments"), &wanted));
        for _ in pages() {
            let page: Page<Deployment> = self.ask_about(repository, PERMISSION, &ask).await?;
            let found = page.items.iter().find(|deployment| deployment.is_of(&report.key));
            if let Some(found) = found {
                return Ok(Some(found.id));
            }
            let Some(next) = next_page(&page) else { break };
            ask = next;
        }
        Ok(None)
    }

    async fn create_deployment(
        &self,
        repository: &GithubRepo,
        report: &DeploymentReport,
    ) -> Result<u64, GitHubAppError> {
        let body = json!({
            "ref": report.commit.as_str(),
            // What is deployed is what was built, and nobody is waited for.
            "auto_merge": false,
            "required_contexts": [],
            "payload": { KEY: report.key },
            "environment": report.environment,
            "transient_environment": report.transient,
            "production_environment": report.production,
        });
        let ask = Ask::post(route(repository, "/deployments"), body);
        let created: Deployment = self.ask_about(repository, PERMISSION, &ask).await?;
        Ok(created.id)
    }
}

impl Deployment {
    fn is_of(&self, key: &str) -> bool {
        let is_key = |payload: &Value| payload.get(KEY).and_then(Value::as_str) == Some(key);
        // Some servers give it back as text.
        let text = self.payload.as_str().map(serde_json::from_str);
        is_key(&self.payload) || text.is_some_and(|read| read.is_ok_and(|payload| is_key(&payload)))
    }
}

impl Status {
    fn says(&self, report: &DeploymentReport) -> bool {
        let same = |shown: &Option<String>, wanted: &Option<Url>| {
            shown.as_deref().unwrap_or_default() == wanted.as_ref().map_or("", Url::as_str)
        };
        self.state == report.state.as_str()
            && self.description.as_deref().unwrap_or_default()
                == text::description(&report.description)
            && same(&self.log_url, &report.log_url)
            && same(&self.environment_url, &report.environment_url)
    }
}
