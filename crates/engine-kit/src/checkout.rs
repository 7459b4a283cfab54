//! Fetching the source of a build.

use std::{fs, path::Path, time::Duration};

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use windlass_domain::{BranchName, CommitId, GitUrl};
use windlass_engine::{BuildRequest, EngineError, SourceAt, SourceCredential, SourceFile};
use windlass_git::{Credential, CredentialError, Git, GitError, Source};

use crate::{
    faults::{git_error, internal},
    order::millis,
};

/// What is to be fetched.
#[derive(Clone, Serialize, Deserialize)]
pub struct CheckoutOrder {
    /// Where the source is.
    pub url: String,
    /// The branch on which the commit is found.
    pub branch: String,
    /// The commit.
    pub commit: String,
    /// Whether the source may be on this machine.
    pub allow_local: bool,
    /// Variables for git alone.
    pub git_environment: Vec<(String, String)>,
    /// How long each call of git may take, in milliseconds.
    pub timeout_millis: u64,
    /// As whom the source is asked for: a user name and a password. That is why an order goes over
    /// a pipe, and never to a disk.
    credential: Option<(String, String)>,
}

/// Why there is no source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckoutError {
    /// The repository or its settings are at fault. The text is for the people of the project.
    Refused(String),
    /// Something outside is not there now. The text is for the people of the project.
    Unavailable(String),
    /// It went wrong here.
    Failed(String),
}

impl CheckoutOrder {
    /// What a build needs.
    #[must_use]
    pub fn new(
        request: &BuildRequest,
        allow_local: bool,
        git_environment: Vec<(String, String)>,
    ) -> Self {
        Self {
            url: request.source.as_str().to_owned(),
            branch: request.branch.to_string(),
            commit: request.commit.to_string(),
            allow_local,
            git_environment,
            timeout_millis: millis(request.limits.wall),
            credential: request.credential.as_ref().map(
                |SourceCredential { username, password }| {
                    (username.clone(), password.expose_secret().to_owned())
                },
            ),
        }
    }

    /// As people know the commit.
    #[must_use]
    pub fn short_commit(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }
}

/// Fills an empty folder with the files of the commit.
pub async fn check_out(order: &CheckoutOrder, workspace: &Path) -> Result<(), CheckoutError> {
    let misread = |what: &str| CheckoutError::Failed(format!("the order's {what} cannot be read"));
    let url = order.url.parse().map_err(|_| misread("address"))?;
    let branch = order.branch.parse().map_err(|_| misread("branch"))?;
    let commit = order.commit.parse().map_err(|_| misread("commit"))?;
    let variables = order.git_environment.iter();
    let git = Git::default()
        .allow_local(order.allow_local)
        .environment(variables.map(|(name, value)| (name.into(), value.into())).collect())
        .timeout(Duration::from_millis(order.timeout_millis));
    let credential = order
        .credential
        .clone()
        .map(|(username, password)| SourceCredential { username, password: password.into() });
    let git = as_whom(&git, &url, credential.as_ref()).map_err(|_| misread("credential"))?;

    let source = Source { url: &url, branch: &branch, commit: &commit };
    git.check_out(source, workspace).await.map_err(|error| classify(&error))?;
    // It names the remote, which is nothing that a build needs.
    let _ = fs::remove_file(workspace.join(".git/FETCH_HEAD"));
    Ok(())
}

/// Looks where a branch points.
pub async fn resolve(
    git: &Git,
    source: &GitUrl,
    branch: &BranchName,
    credential: Option<&SourceCredential>,
) -> Result<CommitId, EngineError> {
    let git = as_whom(git, source, credential).map_err(internal("taking a credential"))?;
    git.branch_tip(source, branch).await.map_err(git_error)
}

/// Looks into one file of a commit.
pub async fn read_first(
    git: &Git,
    at: SourceAt<'_>,
    names: &[&str],
    most: usize,
) -> Result<Option<SourceFile>, EngineError> {
    let SourceAt { source, branch, commit, credential } = at;
    let git = as_whom(git, source, credential).map_err(internal("taking a credential"))?;
    let found = git.read_first(Source { url: source, branch, commit }, names, most).await;
    let found = found.map_err(git_error)?;
    Ok(found.map(|file| SourceFile { name: file.name, bytes: file.bytes }))
}

/// git, with what it says where this source wants to know who asks.
fn as_whom(
    git: &Git,
    source: &GitUrl,
    credential: Option<&SourceCredential>,
) -> Result<Git, CredentialError> {
    let git = git.clone();
    Ok(match credential {
        Some(SourceCredential { username, password }) => {
            git.credential(source, Credential::new(username.as_str(), password.clone())?)
        }
        None => git,
    })
}

fn classify(error: &GitError) -> CheckoutError {
    let text = error.to_string();
    match error {
        GitError::NoSuchBranch { .. }
        | GitError::NoSuchCommit { .. }
        | GitError::LocalForbidden
        | GitError::Unfit { .. }
        | GitError::Denied { .. } => CheckoutError::Refused(text),
        GitError::Unreachable { .. } => CheckoutError::Unavailable(text),
        GitError::Missing(_) | GitError::Failed(_) | GitError::Io(_) => CheckoutError::Failed(text),
    }
}
