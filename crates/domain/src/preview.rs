//! Previews: which branches get an environment of their own when they are pushed, and how long
//! it lasts.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{BranchName, Environment, EnvironmentKind, EnvironmentState};

/// How many patterns a project may have.
pub const MAX_BRANCH_PATTERNS: usize = 50;

/// Which branches of a project get an environment of their own when they are pushed, and for how
/// long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previews {
    /// Whether any does.
    pub enabled: bool,
    /// Which ones; see [`Previews::take`].
    pub branches: Vec<BranchPattern>,
    /// How many there may be at once.
    pub limit: u32,
    /// How many seconds a preview lasts after the last push or deployment; for good where absent.
    pub ttl_seconds: Option<u32>,
    /// After how many seconds without a request it is paused until the next one; never where
    /// absent.
    pub idle_pause_seconds: Option<u32>,
}

impl Default for Previews {
    fn default() -> Self {
        Self {
            enabled: true,
            branches: Vec::new(),
            limit: 20,
            ttl_seconds: None,
            idle_pause_seconds: None,
        }
    }
}

impl Previews {
    /// Whether a branch gets a preview. The last pattern that fits decides; without any that does,
    /// all branches do where there is no pattern or the first one excludes, and none otherwise.
    #[must_use]
    pub fn take(&self, branch: &BranchName) -> bool {
        let last = self.branches.iter().rev().find(|pattern| pattern.fits(branch));
        let decides = last.map(|pattern| !pattern.excludes());
        let otherwise = self.branches.first().is_none_or(BranchPattern::excludes);
        self.enabled && decides.unwrap_or(otherwise)
    }

    /// When an environment ends by itself, if it does.
    #[must_use]
    pub fn expires_at(&self, environment: &Environment) -> Option<DateTime<Utc>> {
        let is_preview = environment.kind == EnvironmentKind::Preview;
        let life = self.ttl_seconds.filter(|_| is_preview)?;
        environment.refreshed_at.checked_add_signed(TimeDelta::seconds(life.into()))
    }

    /// When an environment is to be paused, unless a request comes first.
    #[must_use]
    pub fn idle_at(&self, environment: &Environment) -> Option<DateTime<Utc>> {
        let rests = environment.kind == EnvironmentKind::Preview
            && environment.state == EnvironmentState::Active;
        let idle = self.idle_pause_seconds.filter(|_| rests)?;
        let last = environment.updated_at.max(environment.visited_at.unwrap_or_default());
        last.checked_add_signed(TimeDelta::seconds(idle.into()))
    }
}

/// Names branches: `*` stands for any part of a name without a `/`, `**` for any parts, `?` for one
/// character, `[ab]` for one of several. With `!` before it, it names those that are not meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BranchPattern {
    text: String,
    pattern: glob::Pattern,
}

/// The text is not a [`BranchPattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a pattern of at most 200 bytes, such as `feature/*`, `**` or `!dependabot/**`")]
pub struct BranchPatternError;

impl BranchPattern {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn excludes(&self) -> bool {
        self.text.starts_with('!')
    }

    fn fits(&self, branch: &BranchName) -> bool {
        let how = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        self.pattern.matches_with(branch.as_str(), how)
    }
}

impl FromStr for BranchPattern {
    type Err = BranchPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let glob = text.strip_prefix('!').unwrap_or(text);
        // With a letter in place of whatever stands for others, it is the name of a branch: what
        // could never fit is a mistake.
        let name = glob.replace(['*', '?', '[', ']', '!'], "x");
        let is_fine = text.len() <= 200 && name.parse::<BranchName>().is_ok();
        // Matching one takes as many steps as there are ways to cut the name at its stars.
        if !is_fine || 8 < glob.matches('*').count() {
            return Err(BranchPatternError);
        }
        let pattern = glob::Pattern::new(glob).map_err(|_| BranchPatternError)?;
        Ok(Self { text: text.to_owned(), pattern })
    }
}

impl TryFrom<String> for BranchPattern {
    type Error = BranchPatternError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BranchPattern> for String {
    fn from(pattern: BranchPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for BranchPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{BranchPattern, Previews};

    fn takes(patterns: &[&str], branch: &str) -> bool {
        let branches = patterns.iter().map(|text| text.parse().unwrap()).collect();
        Previews { branches, ..Previews::default() }.take(&branch.parse().unwrap())
    }

    #[test]
    fn without_patterns_every_branch_is_taken_and_none_where_there_are_no_previews() {
        assert!(takes(&[], "feature/login"));
        let none = Previews { enabled: false, ..Previews::default() };
        assert!(!none.take(&"feature/login".parse().unwrap()));
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        for (patterns, branch, taken) in [
            (&["feature/*"][..], "feature/login", true),
            (&["feature/*"], "feature/login/form", false),
            (&["feature/**"], "feature/login/form", true),
            (&["feature/*"], "fix", false),
            (&["fix-?"], "fix-1", true),
            (&["v[0-9]"], "v3", true),
            (&["**"], "a/b/c", true),
            (&["*"], "a/b", false),
            (&["!dependabot/**"], "dependabot/npm/x", false),
            (&["!dependabot/**"], "feature/login", true),
            (&["**", "!wip/*", "wip/show"], "wip/show", true),
            (&["**", "!wip/*", "wip/show"], "wip/other", false),
            (&["Feature"], "feature", false),
        ] {
            assert_eq!(takes(patterns, branch), taken, "{patterns:?} {branch}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "a".repeat(201);
        for text in [
            "",
            "!",
            "a b",
            "a\nb",
            "[",
            "a***",
            "-x",
            "a..b",
            "/a",
            "a\u{202e}b",
            "*a*a*a*a*a*a*a*a*",
            long.as_str(),
        ] {
            assert!(text.parse::<BranchPattern>().is_err(), "{text:?}");
        }
    }
}
