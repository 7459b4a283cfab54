//! Host labels: the first part of an environment's address.

use std::{fmt, str::FromStr};

use crate::{BranchName, Slug, SlugError};

/// The DNS label under which an environment is reached, such as `main-shop`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostLabel(Slug);

/// The text is not a host label.
pub type HostLabelError = SlugError;

impl HostLabel {
    /// The label that everybody expects: `<branch>-<project>`.
    ///
    /// `None` where it would not fit into 63 characters.
    #[must_use]
    pub fn plain(branch: &BranchName, project: &Slug) -> Option<Self> {
        let branch_slug = Slug::from_text(branch.as_str(), "branch");
        let label = format!("{branch_slug}-{project}");
        (label.len() <= Slug::MAX).then(|| label.parse().ok()).flatten()
    }

    /// The label with a short suffix, for names that would collide or be too long.
    #[must_use]
    pub fn suffixed(branch: &BranchName, project: &Slug, suffix: &str) -> Self {
        let label = format!("{}-{project}", Slug::from_text(branch.as_str(), "branch"));
        Self(Slug::from_text(&label, "app").with_suffix(suffix))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for HostLabel {
    type Err = HostLabelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for HostLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::HostLabel;
    use crate::{BranchName, Slug};

    #[test]
    fn a_label_names_branch_and_project_and_long_ones_need_a_suffix() {
        let project: Slug = "shop".parse().unwrap();
        let branch: BranchName = "Feature/Login_2".parse().unwrap();
        assert_eq!(HostLabel::plain(&branch, &project).unwrap().as_str(), "feature-login-2-shop");

        let long: BranchName = "x".repeat(80).parse().unwrap();
        assert_eq!(HostLabel::plain(&long, &project), None);
        let label = HostLabel::suffixed(&long, &project, "k3v9");
        assert!(label.as_str().len() <= 63 && label.as_str().ends_with("-k3v9"), "{label}");
    }
}
