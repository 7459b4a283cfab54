//! Fetching the source and finding out how it is built: done inside the confinement, because what
//! is read was written by others.

use std::{fs, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use windlass_git::{Git, GitError, Source};

use crate::{
    recognise::{Plan, recognise},
    record::Start,
};

/// What is to be prepared.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PrepareOrder {
    pub(crate) url: String,
    pub(crate) branch: String,
    pub(crate) commit: String,
    pub(crate) allow_local: bool,
    pub(crate) git_environment: Vec<(String, String)>,
    pub(crate) timeout_millis: u64,
    pub(crate) recipe: RecipeOrder,
}

/// What the project says about how it is built and started.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct RecipeOrder {
    pub(crate) dockerfile: Option<String>,
    pub(crate) build_context: Option<String>,
    pub(crate) build_command: Option<String>,
    pub(crate) start_command: Option<String>,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(crate) enum Prepared {
    /// This is to be done.
    Ready { build: Option<String>, start: Start },
    /// The repository or its settings cannot be built.
    Refused(String),
    /// Something outside is not there now.
    Unavailable(String),
    /// It went wrong here.
    Failed(String),
}

/// Fills the workspace.
pub(crate) async fn prepare(order: &PrepareOrder, workspace: &Path) -> Prepared {
    match check_out(order, workspace).await {
        Ok(()) => {}
        Err(error) => return error,
    }
    match recognise(workspace, &order.recipe) {
        Ok(Plan { folder, paths, build, start }) => {
            let (branch, commit) = (order.branch.clone(), order.commit.clone());
            Prepared::Ready { build, start: Start { folder, paths, how: start, branch, commit } }
        }
        Err(reason) => Prepared::Refused(reason),
    }
}

async fn check_out(order: &PrepareOrder, workspace: &Path) -> Result<(), Prepared> {
    let misread = |what: &str| Prepared::Failed(format!("the order's {what} cannot be read"));
    let url = order.url.parse().map_err(|_| misread("address"))?;
    let branch = order.branch.parse().map_err(|_| misread("branch"))?;
    let commit = order.commit.parse().map_err(|_| misread("commit"))?;
    let variables = order.git_environment.iter();
    let git = Git::default()
        .allow_local(order.allow_local)
        .environment(variables.map(|(name, value)| (name.into(), value.into())).collect())
        .timeout(Duration::from_millis(order.timeout_millis));

    let source = Source { url: &url, branch: &branch, commit: &commit };
    git.check_out(source, workspace).await.map_err(|error| classify(&error))?;
    // It names the remote, which is nothing that a build needs.
    let _ = fs::remove_file(workspace.join(".git/FETCH_HEAD"));
    Ok(())
}

fn classify(error: &GitError) -> Prepared {
    let text = error.to_string();
    match error {
        GitError::NoSuchBranch { .. }
        | GitError::NoSuchCommit { .. }
        | GitError::LocalForbidden
        | GitError::Denied { .. } => Prepared::Refused(text),
        GitError::Unreachable { .. } => Prepared::Unavailable(text),
        GitError::Missing(_) | GitError::Failed(_) | GitError::Io(_) => Prepared::Failed(text),
    }
}
