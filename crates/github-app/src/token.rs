//! Installation tokens: short-lived, for one repository and one permission.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use windlass_domain::GithubRepo;

use crate::{
    GitHubApp, GitHubAppError,
    api::Ask,
    fault::{Fault, Refusal},
    permission::Permission,
    repository::{owner_and_name, route},
};

/// A token is not given out when its end is as near as this: what begins with it has to end, too.
const SPARE: TimeDelta = TimeDelta::minutes(10);

/// The number of an App's installation at an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InstallationId(pub u64);

impl fmt::Display for InstallationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A token for one repository.
#[derive(Debug, Clone)]
pub struct InstallationToken {
    /// The password, with which the user name `x-access-token` goes.
    pub token: SecretString,
    /// When GitHub stops to take it.
    pub expires_at: DateTime<Utc>,
}

/// `POST /app/installations/{id}/access_tokens`
#[derive(Deserialize)]
struct Given {
    token: SecretString,
    expires_at: DateTime<Utc>,
}

/// `GET /repos/{owner}/{repo}/installation`
#[derive(Deserialize)]
struct Installation {
    id: u64,
}

/// What a token was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    /// In small letters, since GitHub does not tell capitals apart.
    repository: String,
    installation: Option<InstallationId>,
    permission: Permission,
}

/// The tokens that can be used once more.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<Wanted, InstallationToken>>);

impl Tokens {
    fn held(&self) -> MutexGuard<'_, HashMap<Wanted, InstallationToken>> {
        // What is in there is whole whatever happened to whoever held it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, wanted: &Wanted, now: DateTime<Utc>) -> Option<InstallationToken> {
        self.held().get(wanted).filter(|token| is_good(token, now)).cloned()
    }

    fn keep(&self, wanted: Wanted, token: InstallationToken, now: DateTime<Utc>) {
        let mut held = self.held();
        held.retain(|_, token| is_good(token, now));
        held.insert(wanted, token);
    }

    pub(crate) fn forget(&self, repository: &GithubRepo) {
        let repository = repository.as_str().to_ascii_lowercase();
        self.held().retain(|wanted, _| wanted.repository != repository);
    }
}

fn is_good(token: &InstallationToken, now: DateTime<Utc>) -> bool {
    now + SPARE < token.expires_at
}

impl GitHubApp {
    /// A token with which this repository, and nothing else, can be cloned for at least ten minutes.
    /// The installation is looked up where it is not known.
    pub async fn clone_token(
        &self,
        repository: &GithubRepo,
        installation: Option<InstallationId>,
    ) -> Result<InstallationToken, GitHubAppError> {
        self.token(repository, installation, Permission::ReadContents).await
    }

    /// Forgets the tokens for a repository, after one of them was refused or the installation has
    /// changed.
    pub fn forget_tokens(&self, repository: &GithubRepo) {
        self.tokens.forget(repository);
    }

    pub(crate) async fn token(
        &self,
        repository: &GithubRepo,
        installation: Option<InstallationId>,
        permission: Permission,
    ) -> Result<InstallationToken, GitHubAppError> {
        let wanted = Wanted {
            repository: repository.as_str().to_ascii_lowercase(),
            installation,
            permission,
        };
        if let Some(token) = self.tokens.find(&wanted, self.clock.now()) {
            return Ok(token);
        }
        let installation = match installation {
            Some(installation) => installation,
            None => self.installation_of(repository).await?,
        };
        let (_, name) = owner_and_name(repository);
        let ask = Ask::post(
            format!("/app/installations/{installation}/access_tokens"),
            json!({ "repositories": [name], "permissions": permission.asked_for() }),
        );
        let given = self.ask_as_app::<Given>(&ask).await?;
        let given = match given {
            Ok(Given { token, expires_at }) => InstallationToken { token, expires_at },
            Err(fault) => return Err(self.explain_no_token(fault, repository, permission).await),
        };
        self.tokens.keep(wanted, given.clone(), self.clock.now());
        Ok(given)
    }

    async fn installation_of(
        &self,
        repository: &GithubRepo,
    ) -> Result<InstallationId, GitHubAppError> {
        let ask = Ask::get(route(repository, "/installation"));
        match self.ask_as_app::<Installation>(&ask).await? {
            Ok(Installation { id }) => Ok(InstallationId(id)),
            Err(Fault::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => {
                let how = self.how_to_install().await;
                let message =
                    format!("the GitHub App is not installed on `{repository}`: install it {how}");
                Err(GitHubAppError::Refused { status: 404, message })
            }
            Err(fault) => Err(fault.explained(|refusal| refusal.about(repository))),
        }
    }

    async fn explain_no_token(
        &self,
        fault: Fault,
        repository: &GithubRepo,
        permission: Permission,
    ) -> GitHubAppError {
        let Fault::Refused(Refusal { status, message, .. }) = fault else {
            return fault.explained(|refusal| refusal.about(repository));
        };
        let how = self.how_to_install().await;
        let message = match status {
            StatusCode::NOT_FOUND => {
                format!("the GitHub App's installation is gone: install it {how}")
            }
            _ => format!(
                "GitHub gives no access to `{repository}`: {message}. The App needs the permission \
                 `{permission}`, which its installation has to accept, and this repository among \
                 those that are selected {how}"
            ),
        };
        GitHubAppError::Refused { status: status.as_u16(), message }
    }
}
