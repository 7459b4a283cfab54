//! Errors of others in the engine's terms.

use std::error::Error;

use windlass_engine::EngineError;
use windlass_git::GitError;

/// Makes a fault of ours out of another error; `context` says what was attempted.
pub fn internal<E>(context: &str) -> impl FnOnce(E) -> EngineError
where
    E: Error + Send + Sync + 'static,
{
    let context = context.to_owned();
    move |source| EngineError::Internal { context, source: Box::new(source) }
}

/// Tells apart whose fault it is that git could not give what was asked for.
#[must_use]
pub fn git_error(error: GitError) -> EngineError {
    match error {
        GitError::NoSuchBranch { .. }
        | GitError::NoSuchCommit { .. }
        | GitError::LocalForbidden
        | GitError::Unfit { .. }
        | GitError::Denied { .. } => EngineError::Refused(error.to_string()),
        GitError::Unreachable { .. } => EngineError::Unavailable(error.to_string()),
        GitError::Missing(_) | GitError::Failed(_) | GitError::Io(_) => {
            internal("calling git")(error)
        }
    }
}
