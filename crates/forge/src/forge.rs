//! The products whose messages are understood.

use std::{fmt, str::FromStr};

/// A product that hosts git repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Forge {
    /// GitHub, and GitHub Enterprise Server.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea, and Forgejo, which sends the same.
    Gitea,
}

/// The text names no [`Forge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `github`, `gitlab` or `gitea` (which Forgejo is, too)")]
pub struct ForgeError;

impl Forge {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::GitHub, Self::GitLab, Self::Gitea];

    /// How it is written in addresses and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
        }
    }

    /// How its people write it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Gitea => "Gitea",
        }
    }
}

impl FromStr for Forge {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|forge| forge.name() == text).ok_or(ForgeError)
    }
}

impl fmt::Display for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Forge, ForgeError};

    #[test]
    fn a_forge_is_found_by_its_name_alone() {
        for forge in Forge::ALL {
            assert_eq!(forge.name().parse(), Ok(forge));
        }
        for text in ["", "GitHub", "github ", "bitbucket"] {
            assert_eq!(text.parse::<Forge>(), Err(ForgeError), "{text:?}");
        }
    }
}
