//! What can go wrong, told apart by what its reader can do about it.

use std::io;

use windlass_domain::{BranchName, GitUrl};

use crate::Source;

/// Why git could not give what was asked for. The texts are fit for the people of a project.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The remote has no such branch.
    #[error("branch `{branch}` does not exist in {url}")]
    NoSuchBranch {
        /// The branch.
        branch: String,
        /// The remote.
        url: String,
    },
    /// The remote does not give this commit, and its branch does not contain it.
    #[error("commit {commit} is not on branch `{branch}` of {url}")]
    NoSuchCommit {
        /// The commit.
        commit: String,
        /// The branch.
        branch: String,
        /// The remote.
        url: String,
    },
    /// Only configuration allows repositories of this machine.
    #[error("repositories on the server's own machine are not allowed here")]
    LocalForbidden,
    /// The remote refuses: it has no such repository, or wants to know who asks.
    #[error("{url} cannot be read: {detail}")]
    Denied {
        /// The remote.
        url: String,
        /// What git said.
        detail: String,
    },
    /// The remote does not answer as it should; that may pass.
    #[error("the git remote {url} cannot be reached: {detail}")]
    Unreachable {
        /// The remote.
        url: String,
        /// What git said.
        detail: String,
    },
    /// A file of the source is not what it has to be.
    #[error("{name} {why}")]
    Unfit {
        /// Its name.
        name: String,
        /// What it is instead, as the rest of a sentence that begins with its name.
        why: String,
    },
    /// The `git` program is not there.
    #[error("the `git` program cannot be started")]
    Missing(#[source] io::Error),
    /// The files of the source cannot be written, for instance because they take too much space.
    #[error("git failed: {0}")]
    Failed(String),
    /// A fault of this machine.
    #[error("git's settings cannot be written")]
    Io(#[source] io::Error),
}

impl GitError {
    pub(crate) fn no_such_branch(url: &GitUrl, branch: &BranchName) -> Self {
        Self::NoSuchBranch { branch: branch.to_string(), url: without_user(url.as_str()) }
    }

    pub(crate) fn no_such_commit(source: Source<'_>) -> Self {
        Self::NoSuchCommit {
            commit: source.commit.to_string(),
            branch: source.branch.to_string(),
            url: without_user(source.url.as_str()),
        }
    }

    pub(crate) fn unreachable(url: &GitUrl, detail: &str) -> Self {
        Self::Unreachable { url: without_user(url.as_str()), detail: detail.to_owned() }
    }
}

/// How one call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Spawn(io::Error),
    Timeout,
    /// With what it printed on standard error.
    Exit(String),
}

/// What git, curl, ssh and the large hosts print when asking again would not help.
const DENIALS: [&str; 10] = [
    "repository not found",
    "does not appear to be a git repository",
    "does not exist",
    "authentication failed",
    "could not read username",
    "could not read password",
    "permission denied",
    "host key verification failed",
    "returned error: 40",
    "' not found",
];

/// What is printed when git does not follow to another address: it does so only for the first
/// request, and only before it has said who asks.
const REDIRECTIONS: [&str; 1] = ["returned error: 30"];

/// What is printed when nobody answered at all.
const SILENCES: [&str; 8] = [
    "could not resolve",
    "couldn't connect",
    "failed to connect",
    "connection refused",
    "connection timed out",
    "timed out",
    "unable to connect",
    "returned error: 5",
];

impl Failure {
    /// Whether another way of asking the same remote would fail just so.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Spawn(_) | Self::Timeout => true,
            Self::Exit(text) => {
                [&DENIALS[..], &SILENCES, &REDIRECTIONS].iter().any(|phrases| says(text, phrases))
            }
        }
    }

    pub(crate) fn at_branch(self, url: &GitUrl, branch: &BranchName) -> GitError {
        match &self {
            Self::Exit(text) if text.contains("couldn't find remote ref") => {
                GitError::no_such_branch(url, branch)
            }
            Self::Exit(_) | Self::Spawn(_) | Self::Timeout => self.at_remote(url),
        }
    }

    pub(crate) fn at_remote(self, url: &GitUrl) -> GitError {
        match self {
            Self::Spawn(source) => GitError::Missing(source),
            Self::Timeout => GitError::unreachable(url, "it took too long"),
            Self::Exit(text) if says(&text, &REDIRECTIONS) => GitError::Denied {
                url: without_user(url.as_str()),
                detail: "it has another address now, which must be told".to_owned(),
            },
            Self::Exit(text) if says(&text, &DENIALS) => {
                GitError::Denied { url: without_user(url.as_str()), detail: summary(&text) }
            }
            Self::Exit(text) => GitError::unreachable(url, &summary(&text)),
        }
    }

    pub(crate) fn without_remote(self) -> GitError {
        match self {
            Self::Spawn(source) => GitError::Missing(source),
            Self::Timeout => GitError::Failed("it took too long".to_owned()),
            Self::Exit(text) => GitError::Failed(summary(&text)),
        }
    }
}

fn says(text: &str, phrases: &[&str]) -> bool {
    let text = text.to_lowercase();
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// The first line that says something, without what could be a credential.
fn summary(text: &str) -> String {
    let is_noise = |line: &&str| line.is_empty() || line.to_lowercase().starts_with("warning:");
    let line =
        text.lines().map(str::trim).find(|line| !is_noise(line)).unwrap_or("no reason given");
    let line = ["fatal: ", "error: ", "remote: "]
        .into_iter()
        .fold(line, |line, prefix| line.strip_prefix(prefix).unwrap_or(line));
    let line: String = line.chars().filter(|c| !c.is_control()).take(400).collect();
    line.split(' ').map(without_user).collect::<Vec<_>>().join(" ")
}

/// A user name in an address can be a token.
fn without_user(word: &str) -> String {
    match word.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_summary_has_no_credentials_and_no_control_characters() {
        let text = "warning: x\nfatal: unable to access 'https://me:t0ken@host/a.git/': \x1b[31mno";
        assert_eq!(summary(text), "unable to access 'https://host/a.git/': [31mno");
    }
}
