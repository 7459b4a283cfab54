//! Windlass as a GitHub App, against a stand-in for GitHub.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod comments;
mod deployments;
mod failures;
mod pull_requests;
mod stand_in;
mod statuses;
mod tokens;
