//! What Windlass does at GitHub as a GitHub App: tokens to clone with, commit statuses, deployments,
//! and one comment in a pull request.
//!
//! Every call may be repeated, and says the same again: what exists is found instead of made twice.
//! Nothing is retried here and nothing outlives a restart but what GitHub keeps. Redirections are
//! not followed, answers are small or refused, and secrets are in no error.
//!
//! The library octocrab sends requests, reads pages and tells errors apart. Its models are not used:
//! they insist on many fields that are not needed here, and a request whose answer cannot be read
//! would be repeated. Neither are its own tokens, which read the wall clock and cannot be narrowed
//! to a permission.

mod api;
mod comment;
mod config;
mod deployment;
mod error;
mod fault;
mod jwt;
mod permission;
mod preview_comment;
mod pull_request;
mod repository;
mod status;
mod text;
mod token;
mod transport;

use std::{fmt, sync::Arc};

use tokio::sync::OnceCell;
use windlass_domain::Clock;

use crate::{api::Api, jwt::AppKey, token::Tokens};
pub use crate::{
    config::GitHubAppConfig,
    deployment::{DeploymentReport, DeploymentState},
    error::GitHubAppError,
    preview_comment::{PreviewComment, preview_comment},
    status::{CommitState, CommitStatus},
    token::{InstallationId, InstallationToken},
};

/// Windlass as a GitHub App.
pub struct GitHubApp {
    key: AppKey,
    api: Api,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    /// The name by which GitHub's addresses know the App.
    slug: OnceCell<String>,
}

impl GitHubApp {
    /// Sets it up; nothing is asked yet. It belongs to the Tokio runtime in which it is made.
    pub fn new(config: &GitHubAppConfig, clock: Arc<dyn Clock>) -> Result<Self, GitHubAppError> {
        let key = AppKey::new(config.app_id, &config.private_key)?;
        let api = Api::new(config, Arc::clone(&clock))?;
        Ok(Self { key, api, clock, tokens: Tokens::default(), slug: OnceCell::new() })
    }
}

impl fmt::Debug for GitHubApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubApp").field("app_id", &self.key.app_id()).finish_non_exhaustive()
    }
}
