//! The mark at a commit.

use serde::Serialize;
use serde_json::json;
use url::Url;
use windlass_domain::{CommitId, GithubRepo};

use crate::{GitHubApp, GitHubAppError, api::Ask, permission::Permission, repository::route, text};

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitState {
    /// It is not known yet.
    Pending,
    /// It is good.
    Success,
    /// It is not.
    Failure,
    /// That cannot be known, by a fault of ours.
    Error,
}

/// What is shown at a commit.
#[derive(Debug, Clone)]
pub struct CommitStatus {
    /// How it stands.
    pub state: CommitState,
    /// Whose mark it is: `windlass/<environment>`. The newest of each is shown.
    pub context: String,
    /// A sentence. GitHub takes 140 characters; what is longer ends with `…`.
    pub description: String,
    /// Where to read more.
    pub target_url: Option<Url>,
}

/// `POST /repos/{owner}/{repo}/statuses/{sha}`
#[derive(serde::Deserialize)]
struct Taken {}

impl GitHubApp {
    /// Marks a commit. The newest mark of a context counts, so that repeating it changes nothing.
    pub async fn set_commit_status(
        &self,
        repository: &GithubRepo,
        commit: &CommitId,
        status: &CommitStatus,
    ) -> Result<(), GitHubAppError> {
        let CommitStatus { state, context, description, target_url } = status;
        let mut body = json!({
            "state": state,
            "context": text::printable(context),
            "description": text::description(description),
        });
        if let Some(url) = target_url {
            body["target_url"] = url.as_str().into();
        }
        let ask = Ask::post(route(repository, &format!("/statuses/{commit}")), body);
        let Taken {} = self.ask_about(repository, Permission::WriteStatuses, &ask).await?;
        Ok(())
    }
}
