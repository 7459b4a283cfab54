//! Requests about one repository, and those as the App itself.

use http::StatusCode;
use octocrab::FromResponse;
use serde::Deserialize;
use windlass_domain::GithubRepo;

use crate::{
    GitHubApp, GitHubAppError,
    api::Ask,
    fault::{Fault, Refusal},
    permission::Permission,
};

/// `GET /app`
#[derive(Deserialize)]
struct About {
    slug: String,
    html_url: String,
}

/// The way to something of a repository.
pub(crate) fn route(repository: &GithubRepo, rest: &str) -> String {
    format!("/repos/{repository}{rest}")
}

pub(crate) fn owner_and_name(repository: &GithubRepo) -> (&str, &str) {
    // Without a slash it would be no `GithubRepo`.
    repository.as_str().split_once('/').unwrap_or((repository.as_str(), ""))
}

impl GitHubApp {
    /// Asks with a token for the repository that permits this.
    pub(crate) async fn ask_about<T: FromResponse>(
        &self,
        repository: &GithubRepo,
        permission: Permission,
        ask: &Ask,
    ) -> Result<T, GitHubAppError> {
        let token = self.token(repository, None, permission).await?.token;
        let answer = match self.api.ask(&token, ask).await {
            // It ended early, for instance because the App was installed anew.
            Err(Fault::Refused(refusal)) if refusal.status == StatusCode::UNAUTHORIZED => {
                self.tokens.forget(repository);
                let token = self.token(repository, None, permission).await?.token;
                self.api.ask(&token, ask).await
            }
            answer => answer,
        };
        answer.map_err(|fault| {
            fault.explained(|refusal| match refusal.status {
                StatusCode::FORBIDDEN => refusal.lacking(repository, permission),
                _ => refusal.about(repository),
            })
        })
    }

    /// Asks as the App, which is nobody's business but ours: whoever runs this server has to see
    /// to it that GitHub knows it.
    pub(crate) async fn ask_as_app<T: FromResponse>(
        &self,
        ask: &Ask,
    ) -> Result<Result<T, Fault>, GitHubAppError> {
        let token = self.key.token(self.clock.now())?;
        match self.api.ask(&token, ask).await {
            Err(Fault::Refused(refusal)) if refusal.says_nobody_asks() => {
                let app_id = self.key.app_id();
                Err(GitHubAppError::Misconfigured(format!(
                    "GitHub does not take its private key for that of the App {app_id}, or this \
                     machine's clock is wrong: {}",
                    refusal.message
                )))
            }
            answer => Ok(answer),
        }
    }

    /// The name by which GitHub's addresses and the App's own account know it.
    pub(crate) async fn slug(&self) -> Result<&str, GitHubAppError> {
        let slug = self.slug.get_or_try_init(|| async { Ok(self.about().await?.slug) }).await?;
        Ok(slug)
    }

    /// Where the App is installed, as the end of a sentence.
    pub(crate) async fn how_to_install(&self) -> String {
        match self.about().await {
            Ok(about) => format!("at {}/installations/new", about.html_url.trim_end_matches('/')),
            // What is wrong already says more than why this cannot be told.
            Err(_) => "on the App's page at GitHub".to_owned(),
        }
    }

    async fn about(&self) -> Result<About, GitHubAppError> {
        let about = self.ask_as_app::<About>(&Ask::get("/app")).await?;
        about.map_err(|fault| {
            fault.explained(|refusal| GitHubAppError::Misconfigured(refusal.message))
        })
    }
}

impl Refusal {
    /// Whether GitHub does not know the App, or not by this key.
    fn says_nobody_asks(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
            || (self.status == StatusCode::NOT_FOUND && self.message == "Integration not found")
    }

    pub(crate) fn about(self, repository: &GithubRepo) -> GitHubAppError {
        let status = self.status.as_u16();
        let message = if self.status.is_redirection() {
            format!("`{repository}` has another name at GitHub now: change it in the project, too")
        } else {
            format!("GitHub refuses it for `{repository}`: {}", self.message)
        };
        GitHubAppError::Refused { status, message }
    }

    fn lacking(self, repository: &GithubRepo, permission: Permission) -> GitHubAppError {
        let told = self.permissions.map(|told| format!(" (`{told}`)")).unwrap_or_default();
        let message = format!(
            "GitHub refuses it for `{repository}`: {}. The GitHub App may lack the permission \
             `{permission}`{told}, or its installation has yet to accept it",
            self.message
        );
        GitHubAppError::Refused { status: self.status.as_u16(), message }
    }
}
