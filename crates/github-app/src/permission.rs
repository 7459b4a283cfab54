//! What a token may do.

use std::fmt;

use serde_json::{Value, json};

/// What a token may do: one thing, so that little is lost with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Permission {
    ReadContents,
    WriteStatuses,
    WriteDeployments,
    WritePullRequests,
}

impl Permission {
    /// As GitHub's API calls it.
    pub(crate) fn asked_for(self) -> Value {
        match self {
            Self::ReadContents => json!({ "contents": "read" }),
            Self::WriteStatuses => json!({ "statuses": "write" }),
            Self::WriteDeployments => json!({ "deployments": "write" }),
            Self::WritePullRequests => json!({ "pull_requests": "write" }),
        }
    }
}

impl fmt::Display for Permission {
    /// As GitHub's pages call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadContents => "Contents: read-only",
            Self::WriteStatuses => "Commit statuses: read and write",
            Self::WriteDeployments => "Deployments: read and write",
            Self::WritePullRequests => "Pull requests: read and write",
        })
    }
}
