//! What has happened in a repository.

use windlass_domain::{BranchName, BranchNameError, CommitId, is_unprintable};

use crate::Repository;

/// What has happened, in words that all forges share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The webhook was set up, and the forge tries it.
    Ping,
    /// A branch has another commit.
    Push {
        /// The branch.
        branch: BranchName,
        /// Its newest commit.
        commit: CommitId,
        /// Whether the branch is new.
        created: bool,
        /// Whether commits were taken off it. Only GitHub tells; false for the others.
        forced: bool,
    },
    /// A branch is gone. GitHub says it twice: as a push, and as a deletion.
    BranchDeleted {
        /// The branch.
        branch: BranchName,
    },
    /// Something happened to a pull request, which GitLab calls a merge request.
    PullRequest {
        /// By which people know it.
        number: u64,
        /// What happened to it.
        action: PullRequestAction,
        /// The branch that is to be merged.
        branch: BranchName,
        /// The newest commit of that branch.
        commit: CommitId,
        /// Whether it may have been written by somebody who cannot push to the repository: the
        /// branch is one of another repository, or of one that is gone, or (Gitea's `AGit`) of none.
        from_fork: bool,
    },
    /// Somebody changed where a GitHub App is installed.
    Installation {
        /// GitHub's number of the installation.
        id: u64,
        /// What was changed.
        action: InstallationAction,
        /// The person, organization or enterprise whose installation it is.
        account: String,
    },
    /// Nothing that we care for. The forge is to get an answer of success all the same.
    Ignored {
        /// Which is shown to whoever looks for the reason.
        why: String,
    },
}

/// What happened to a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequestAction {
    /// It was opened, perhaps not for the first time.
    Opened,
    /// It has another commit.
    Updated,
    /// It was closed or merged.
    Closed,
    /// Anything else, such as another title, label or reviewer.
    Other,
}

/// What was changed about an installation of a GitHub App.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallationAction {
    /// The app was installed.
    Created,
    /// It was uninstalled.
    Deleted,
    /// It may do nothing for now.
    Suspended,
    /// It may go on.
    Unsuspended,
    /// It was given repositories, or some were taken from it.
    RepositoriesChanged,
    /// Anything else, such as other permissions.
    Other,
}

impl Event {
    /// An event of a kind that we do not know.
    pub(crate) fn unknown(name: &str) -> Self {
        Self::Ignored { why: format!("events of the kind `{}` change nothing here", shown(name)) }
    }

    /// Something about a git reference that is not a branch.
    pub(crate) fn no_branch(reference: &str) -> Self {
        Self::Ignored { why: format!("`{}` is not a branch", shown(reference)) }
    }

    /// Goes on with a branch, where it has a name that is accepted.
    pub(crate) fn on_branch(name: &str, make: impl FnOnce(BranchName) -> Self) -> Self {
        let ignored = |err: BranchNameError| Self::Ignored {
            why: format!("the name of the branch `{}` {err}", shown(name)),
        };
        name.parse().map_or_else(ignored, make)
    }
}

/// What a body tells of.
pub(crate) type Told = (Option<Repository>, Event);

/// How a push says that there is no commit: before it, or after it.
pub(crate) fn is_zero(commit: &str) -> bool {
    !commit.is_empty() && commit.bytes().all(|byte| byte == b'0')
}

/// What a stranger wrote, as it may be shown.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !is_unprintable(*c)).take(100).collect()
}
