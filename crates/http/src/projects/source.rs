//! Where a project's source is: a git address, or the short form of one.

use windlass_domain::{GitUrl, GithubRepo};

use crate::{extract::Patch, fields::Fields};

/// How a request changes where the source is.
#[derive(Debug)]
pub(crate) enum SourceEdit {
    /// Not at all.
    Keep,
    /// Only its short form goes.
    ForgetGithub,
    /// It is there now.
    Set(Source),
}

/// Where the source is.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) git_url: GitUrl,
    pub(crate) github_repo: Option<GithubRepo>,
}

impl SourceEdit {
    /// Reads both fields together. `None` after something was refused.
    pub(crate) fn parse(
        fields: &mut Fields,
        github_repo: Patch<String>,
        git_url: Patch<String>,
    ) -> Option<Self> {
        match (github_repo, git_url) {
            (Patch::Keep, Patch::Keep) => Some(Self::Keep),
            (Patch::Clear, Patch::Keep) => Some(Self::ForgetGithub),
            (Patch::Keep | Patch::Clear, Patch::Clear) => {
                fields.refuse("git_url", "cannot be removed");
                None
            }
            (Patch::Keep | Patch::Clear, Patch::Set(url)) => {
                let git_url = fields.parse("git_url", &url)?;
                Some(Self::Set(Source { git_url, github_repo: None }))
            }
            (Patch::Set(repo), git_url) => {
                let source = on_github(fields, &repo)?;
                if let Patch::Set(url) = git_url
                    && url != source.git_url.as_str()
                {
                    let message = format!("must be {} or be left out", source.git_url);
                    fields.refuse("git_url", message);
                    return None;
                }
                Some(Self::Set(source))
            }
        }
    }
}

fn on_github(fields: &mut Fields, repo: &str) -> Option<Source> {
    let repo: GithubRepo = fields.parse("github_repo", repo)?;
    let name = repo.as_str().strip_suffix(".git").unwrap_or(repo.as_str());
    let git_url = fields.parse("github_repo", &format!("https://github.com/{name}.git"))?;
    Some(Source { git_url, github_repo: Some(repo) })
}
