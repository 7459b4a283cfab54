//! The `git` program, called safely: by argument vector, without prompts, hooks, helpers, the
//! configuration or the credentials of whoever runs the server.
//!
//! Addresses, branches and commits come as the domain's parsed types, so nothing can be taken for
//! an option. Submodules and LFS objects are not fetched.
//!
//! A [`Credential`] is in the environment of git and its helpers while they run, which only the same
//! user can read, and nowhere else.

mod command;
mod credential;
mod error;
mod fetch;
mod read;

use std::{ffi::OsString, path::Path, time::Duration};

use windlass_domain::{BranchName, CommitId, GitUrl, Protocol};

use crate::{command::Call, credential::Login, error::Failure};
pub use crate::{
    credential::{Credential, CredentialError},
    error::GitError,
    read::SourceFile,
};

/// How the `git` program is called.
#[derive(Debug, Clone)]
pub struct Git {
    program: OsString,
    environment: Vec<(OsString, OsString)>,
    allow_local: bool,
    timeout: Duration,
    credential: Option<(GitUrl, Credential)>,
}

/// Which source is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Where it is.
    pub url: &'a GitUrl,
    /// The branch on which the commit is found.
    pub branch: &'a BranchName,
    /// The commit.
    pub commit: &'a CommitId,
}

impl Default for Git {
    /// The `git` of the system's usual folders, for remote addresses only, ten minutes at most.
    fn default() -> Self {
        Self {
            program: "git".into(),
            environment: Vec::new(),
            allow_local: false,
            timeout: Duration::from_mins(10),
            credential: None,
        }
    }
}

impl Git {
    /// Whether repositories on this machine (`/…`, `file:///…`) may be read.
    #[must_use]
    pub fn allow_local(self, allow_local: bool) -> Self {
        Self { allow_local, ..self }
    }

    /// Variables that git gets besides its own, such as those that name a proxy.
    #[must_use]
    pub fn environment(self, environment: Vec<(OsString, OsString)>) -> Self {
        Self { environment, ..self }
    }

    /// How long each call may take.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// As whom one remote is asked, if it wants to know. Others are asked as nobody.
    ///
    /// Only `https` remotes are told, and those of this machine.
    #[must_use]
    pub fn credential(self, url: &GitUrl, credential: Credential) -> Self {
        Self { credential: Some((url.clone(), credential)), ..self }
    }

    /// The program's version, which shows that it is there.
    pub async fn version(&self) -> Result<String, GitError> {
        let output = self.call(Path::new("/"), None)?.run(["--version"]).await;
        Ok(output.map_err(Failure::without_remote)?.trim().to_owned())
    }

    /// The commit that the branch points to now.
    pub async fn branch_tip(
        &self,
        url: &GitUrl,
        branch: &BranchName,
    ) -> Result<CommitId, GitError> {
        let reference = format!("refs/heads/{branch}");
        let answer = self
            .call(Path::new("/"), Some(url))?
            .run(["ls-remote", "--", url.as_str(), &reference])
            .await
            .map_err(|failure| failure.at_remote(url))?;
        let named = |line: &str| {
            let (commit, name) = line.split_once('\t')?;
            (name == reference).then(|| commit.to_owned())
        };
        match answer.lines().find_map(named) {
            Some(commit) => commit.parse().map_err(|_| GitError::unreachable(url, "not git")),
            None => Err(GitError::no_such_branch(url, branch)),
        }
    }

    /// Puts the files of a commit into an empty folder, as a repository that knows little else.
    pub async fn check_out(&self, source: Source<'_>, into: &Path) -> Result<(), GitError> {
        let Source { url, commit, .. } = source;
        let call = self.call(into, Some(url))?;
        call.init(commit).await?;
        call.fetch(source, url.as_str(), &[]).await?;
        call.run(["checkout", "--quiet", "--force", "--detach", commit.as_str()])
            .await
            .map_err(Failure::without_remote)?;
        let head = call.run(["rev-parse", "HEAD"]).await.map_err(Failure::without_remote)?;
        if head.trim() == commit.as_str() { Ok(()) } else { Err(GitError::no_such_commit(source)) }
    }

    fn call<'a>(&'a self, folder: &'a Path, url: Option<&GitUrl>) -> Result<Call<'a>, GitError> {
        let local = url.is_some_and(|url| url.protocol() == Protocol::File);
        if local && !self.allow_local {
            return Err(GitError::LocalForbidden);
        }
        let known = self.credential.as_ref().filter(|(known, _)| Some(known) == url);
        let login = known.and_then(|(url, credential)| Login::new(url, credential));
        Call::new(self, folder, local, login)
    }
}
