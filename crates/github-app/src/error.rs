//! Why GitHub did not do what was asked.

use chrono::{DateTime, Utc};

/// Why GitHub did not do what was asked. No text contains a token or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitHubAppError {
    /// Asking again does not help before somebody has changed something. The text is fit for the
    /// people of the project.
    #[error("{message}")]
    Refused {
        /// The status of GitHub's answer.
        status: u16,
        /// What to do about it.
        message: String,
    },
    /// Too much was asked lately.
    #[error("GitHub wants to be asked again after {retry_at}, and not before")]
    RateLimited {
        /// When it may be asked again.
        retry_at: DateTime<Utc>,
    },
    /// There is no answer that can be used; that may pass.
    #[error("GitHub cannot be reached: {reason}")]
    Unavailable {
        /// What happened instead.
        reason: String,
    },
    /// Whoever runs this server has to correct the App's settings.
    #[error("the GitHub App is not set up correctly: {0}")]
    Misconfigured(String),
}
