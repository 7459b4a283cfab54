//! One comment in a pull request that is kept up to date.

use octocrab::Page;
use serde::Deserialize;
use serde_json::json;
use windlass_domain::GithubRepo;

use crate::{
    GitHubApp, GitHubAppError,
    api::{Ask, next_page, pages, with_query},
    permission::Permission,
    repository::route,
    text,
};

const PERMISSION: Permission = Permission::WritePullRequests;
/// GitHub takes 65,536.
const MOST_CHARACTERS: usize = 65_000;

/// One of `GET /repos/{owner}/{repo}/issues/{number}/comments`
#[derive(Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    /// Nobody, where the account is gone.
    #[serde(default)]
    user: Option<Author>,
    #[serde(default)]
    performed_via_github_app: Option<Via>,
}

#[derive(Deserialize)]
struct Author {
    login: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Via {
    id: u64,
}

impl GitHubApp {
    /// Sees to it that a pull request has one comment of ours with this marker, which nobody sees,
    /// and that it says this. It is made once and then edited; where it says so already, nothing
    /// happens. What others wrote is left alone, whatever it looks like.
    pub async fn comment_once(
        &self,
        repository: &GithubRepo,
        pull_request: u64,
        marker: &str,
        body_markdown: &str,
    ) -> Result<(), GitHubAppError> {
        let marker = text::marker_line(marker);
        let wanted = text::cut(&format!("{marker}\n{body_markdown}"), MOST_CHARACTERS);
        let comments = route(repository, &format!("/issues/{pull_request}/comments"));
        let found = self.find_comment(repository, &comments, &marker).await?;
        let body = json!({ "body": wanted });
        let ask = match found {
            Some(comment) if comment.says(&wanted) => return Ok(()),
            Some(Comment { id, .. }) => {
                Ask::patch(route(repository, &format!("/issues/comments/{id}")), body)
            }
            None => Ask::post(comments, body),
        };
        let _: Comment = self.ask_about(repository, PERMISSION, &ask).await?;
        Ok(())
    }

    /// The oldest comment of ours with a marker.
    async fn find_comment(
        &self,
        repository: &GithubRepo,
        comments: &str,
        marker: &str,
    ) -> Result<Option<Comment>, GitHubAppError> {
        let mut ask = Ask::get(with_query(comments, &[("per_page", "100")]));
        for _ in pages() {
            let mut page: Page<Comment> = self.ask_about(repository, PERMISSION, &ask).await?;
            for comment in page.take_items() {
                if comment.begins_with(marker) && self.wrote(&comment).await? {
                    return Ok(Some(comment));
                }
            }
            let Some(next) = next_page(&page) else { break };
            ask = next;
        }
        Ok(None)
    }

    /// Whether a comment is by the App itself, and not by a person who came through it.
    async fn wrote(&self, comment: &Comment) -> Result<bool, GitHubAppError> {
        let Some(Author { login, kind }) = &comment.user else { return Ok(false) };
        if kind != "Bot" {
            return Ok(false);
        }
        if let Some(via) = &comment.performed_via_github_app {
            return Ok(via.id == self.key.app_id());
        }
        // Not every server tells, but every App's account is called like this.
        let slug = self.slug().await?;
        Ok(login.strip_suffix("[bot]").is_some_and(|login| login == slug))
    }
}

impl Comment {
    fn begins_with(&self, marker: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.starts_with(marker))
    }

    /// Whether it says this, however its lines are ended.
    fn says(&self, wanted: &str) -> bool {
        let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
        self.body.as_deref().is_some_and(|body| plain(body) == plain(wanted))
    }
}
