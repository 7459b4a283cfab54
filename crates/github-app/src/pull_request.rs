//! Which pull requests belong to a branch.

use octocrab::Page;
use serde::Deserialize;
use windlass_domain::{BranchName, GithubRepo};

use crate::{
    GitHubApp, GitHubAppError,
    api::{Ask, next_page, pages, with_query},
    permission::Permission,
    repository::{owner_and_name, route},
};

/// One of `GET /repos/{owner}/{repo}/pulls`
#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "ref")]
    branch: String,
    /// Nothing, where the repository is gone.
    repo: Option<HeadRepository>,
}

#[derive(Deserialize)]
struct HeadRepository {
    full_name: String,
}

impl GitHubApp {
    /// The numbers of the open pull requests from a branch of this repository, and not of a fork.
    pub async fn pull_requests_of(
        &self,
        repository: &GithubRepo,
        branch: &BranchName,
    ) -> Result<Vec<u64>, GitHubAppError> {
        let (owner, _) = owner_and_name(repository);
        let head = format!("{owner}:{branch}");
        let wanted = [("state", "open"), ("head", &head), ("per_page", "100")];
        let mut ask = Ask::get(with_query(&route(repository, "/pulls"), &wanted));
        let mut numbers = Vec::new();
        for _ in pages() {
            let mut page: Page<PullRequest> =
                self.ask_about(repository, Permission::WritePullRequests, &ask).await?;
            let ours =
                page.take_items().into_iter().filter(|pull| pull.is_from(repository, branch));
            numbers.extend(ours.map(|pull| pull.number));
            let Some(next) = next_page(&page) else { break };
            ask = next;
        }
        Ok(numbers)
    }
}

impl PullRequest {
    /// An account can have forks of its own repositories, which GitHub's filter takes for them.
    fn is_from(&self, repository: &GithubRepo, branch: &BranchName) -> bool {
        let from = self.head.repo.as_ref();
        self.head.branch == branch.as_str()
            && from.is_some_and(|from| from.full_name.eq_ignore_ascii_case(repository.as_str()))
    }
}
