//! Hooks: the moments at which a repository may have commands of its own run.

use std::{fmt, str::FromStr};

/// A moment for a command that the repository's file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Once, in a new environment.
    OnNew,
    /// With each deployment.
    OnDeploy,
}

/// The text names no hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected on_new or on_deploy")]
pub struct ParseHookError;

impl Hook {
    /// Every hook there is, in the order in which they are run.
    pub const ALL: [Self; 2] = [Self::OnNew, Self::OnDeploy];

    /// The hook's name, as the repository's file has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnNew => "on_new",
            Self::OnDeploy => "on_deploy",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Hook {
    type Err = ParseHookError;

    fn from_str(text: &str) -> Result<Self, ParseHookError> {
        Self::ALL.into_iter().find(|hook| hook.name() == text).ok_or(ParseHookError)
    }
}
