//! Names of git branches.

use std::{fmt, str::FromStr};

use crate::name::is_unprintable;

/// A branch name that git accepts (`git check-ref-format --branch`), of at most 200 bytes, without
/// invisible characters. It cannot be taken for an option, a range or a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchName(String);

/// The text is not a branch name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a git branch name of at most 200 bytes, such as `main` or `feature/login`")]
pub struct BranchNameError;

impl BranchName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_forbidden(c: char) -> bool {
    is_unprintable(c) || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
}

impl FromStr for BranchName {
    type Err = BranchNameError;

    /// The rules are those of the manual page git-check-ref-format(1).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad_part = |part: &str| {
            part.is_empty() || part.starts_with('.') || part.ends_with('.') || has_lock_suffix(part)
        };
        if text.is_empty()
            || 200 < text.len()
            || text.starts_with('-')
            || text == "@"
            || text == "HEAD"
            || text.contains("..")
            || text.contains("@{")
            || text.chars().any(is_forbidden)
            || text.split('/').any(bad_part)
        {
            return Err(BranchNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

fn has_lock_suffix(part: &str) -> bool {
    part.to_ascii_lowercase().ends_with(".lock")
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::BranchName;

    #[test]
    fn what_git_or_a_shell_could_misread_is_refused() {
        for bad in [
            "",
            "-",
            "--upload-pack=touch /tmp/x",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "@",
            "a@{1}",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.",
            "HEAD",
            "a\u{202e}b",
            "a\0b",
            "a\nb",
        ] {
            assert!(bad.parse::<BranchName>().is_err(), "{bad:?}");
        }
        for good in ["main", "feature/login", "v1.2", "größe", "dependabot/npm_and_yarn/x-1.0"] {
            assert!(good.parse::<BranchName>().is_ok(), "{good:?}");
        }
    }
}
