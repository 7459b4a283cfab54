//! The bodies of GitHub, and of Gitea and Forgejo, which took them over.
//!
//! - <https://docs.github.com/en/webhooks/webhook-events-and-payloads>
//! - <https://docs.gitea.com/usage/webhooks>, <https://forgejo.org/docs/latest/user/webhooks/>

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    Event, Forge, InstallationAction, MessageError, PullRequestAction, Repository,
    event::{Told, is_zero},
    json::{parse, parse_any, required},
};

/// `push`
#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: Option<String>,
    before: Option<String>,
    after: Option<String>,
    created: Option<bool>,
    deleted: Option<bool>,
    forced: Option<bool>,
    repository: Option<RawRepository>,
}

/// `delete`
#[derive(Deserialize)]
struct Delete {
    /// The short name.
    #[serde(rename = "ref")]
    reference: Option<String>,
    ref_type: Option<String>,
    /// GitHub's `create` has it, and is the same otherwise.
    master_branch: Option<IgnoredAny>,
    /// Gitea's `create` has it.
    sha: Option<IgnoredAny>,
    repository: Option<RawRepository>,
}

/// `pull_request`
#[derive(Deserialize)]
struct PullRequest {
    action: Option<String>,
    number: Option<u64>,
    #[serde(rename = "pull_request")]
    sides: Option<Sides>,
    repository: Option<RawRepository>,
}

#[derive(Deserialize)]
struct Sides {
    head: Option<Side>,
    base: Option<Side>,
}

#[derive(Deserialize)]
struct Side {
    /// With Gitea the branch, even where `ref` cannot be one.
    label: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    sha: Option<String>,
    /// `null` once it is gone.
    repo: Option<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    id: Option<u64>,
}

/// `installation`, `installation_repositories`
#[derive(Deserialize)]
struct Installation {
    action: Option<String>,
    installation: Option<RawInstallation>,
}

#[derive(Deserialize)]
struct RawInstallation {
    id: Option<u64>,
    account: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    login: Option<String>,
    /// What an enterprise has instead.
    slug: Option<String>,
}

/// Anything else.
#[derive(Deserialize)]
struct Other {
    repository: Option<RawRepository>,
}

#[derive(Deserialize)]
struct RawRepository {
    full_name: Option<String>,
    clone_url: Option<String>,
    ssh_url: Option<String>,
    git_url: Option<String>,
    html_url: Option<String>,
}

/// Reads the body of an event of GitHub or Gitea.
pub(crate) fn read(forge: Forge, event: &str, body: &[u8]) -> Result<Told, MessageError> {
    let is_github = forge == Forge::GitHub;
    match event {
        "push" => push(parse(body)?),
        "delete" => delete(parse(body)?),
        "pull_request" => pull_request(forge, parse(body)?),
        "ping" if is_github => Ok((about(body)?, Event::Ping)),
        "installation" | "installation_repositories" if is_github => {
            Ok((None, installation(event, parse(body)?)?))
        }
        _ => Ok((about(body)?, Event::unknown(event))),
    }
}

fn push(push: Push) -> Result<Told, MessageError> {
    let repository = known(push.repository)?;
    let reference = required(push.reference, "ref")?;
    let after = required(push.after, "after")?;
    let Some(name) = reference.strip_prefix("refs/heads/") else {
        return Ok((Some(repository), Event::no_branch(&reference)));
    };
    if push.deleted == Some(true) || is_zero(&after) {
        let event = Event::on_branch(name, |branch| Event::BranchDeleted { branch });
        return Ok((Some(repository), event));
    }
    let commit = required(after.parse().ok(), "after")?;
    let event = Event::on_branch(name, |branch| Event::Push {
        branch,
        commit,
        created: push.created.unwrap_or_else(|| push.before.is_some_and(|before| is_zero(&before))),
        forced: push.forced.unwrap_or(false),
    });
    Ok((Some(repository), event))
}

fn delete(delete: Delete) -> Result<Told, MessageError> {
    let repository = known(delete.repository)?;
    let name = required(delete.reference, "ref")?;
    // The name of the event is not signed.
    let is_creation = delete.master_branch.is_some() || delete.sha.is_some();
    let event = match required(delete.ref_type, "ref_type")?.as_str() {
        _ if is_creation => Event::unknown("create"),
        "branch" => Event::on_branch(&name, |branch| Event::BranchDeleted { branch }),
        _ => Event::no_branch(&name),
    };
    Ok((Some(repository), event))
}

fn pull_request(forge: Forge, body: PullRequest) -> Result<Told, MessageError> {
    let repository = known(body.repository)?;
    let number = required(body.number, "number")?;
    let action = match required(body.action, "action")?.as_str() {
        "opened" | "reopened" => PullRequestAction::Opened,
        // GitHub's word, and Gitea's.
        "synchronize" | "synchronized" => PullRequestAction::Updated,
        "closed" => PullRequestAction::Closed,
        _ => PullRequestAction::Other,
    };
    let Sides { head, base } = required(body.sides, "pull_request")?;
    let head = required(head, "pull_request.head")?;
    let base = required(base, "pull_request.base")?;
    let reference = required(head.reference, "pull_request.head.ref")?;
    let commit = head.sha.and_then(|sha| sha.parse().ok());
    let commit = required(commit, "pull_request.head.sha")?;
    let base = base.repo.and_then(|repo| repo.id);
    let base = required(base, "pull_request.base.repo.id")?;
    let head_repo = head.repo.and_then(|repo| repo.id);
    // What is pushed to Gitea's `refs/for/…` (AGit) becomes `refs/pull/…` of the repository itself,
    // and whoever can read it may do so. A branch that is gone looks the same, but has a label.
    // <https://docs.gitea.com/usage/agit>
    let is_nowhere = forge == Forge::Gitea && reference.starts_with("refs/pull/");
    let name = head.label.filter(|label| is_nowhere && !label.is_empty()).unwrap_or(reference);
    let from_fork = is_nowhere || head_repo != Some(base);
    let event = Event::on_branch(&name, |branch| Event::PullRequest {
        number,
        action,
        branch,
        commit,
        from_fork,
    });
    Ok((Some(repository), event))
}

fn installation(event: &str, body: Installation) -> Result<Event, MessageError> {
    let installation = required(body.installation, "installation")?;
    let action = required(body.action, "action")?;
    let account = installation.account.and_then(|account| account.login.or(account.slug));
    Ok(Event::Installation {
        id: required(installation.id, "installation.id")?,
        action: match action.as_str() {
            _ if event == "installation_repositories" => InstallationAction::RepositoriesChanged,
            "created" => InstallationAction::Created,
            "deleted" => InstallationAction::Deleted,
            "suspend" => InstallationAction::Suspended,
            "unsuspend" => InstallationAction::Unsuspended,
            _ => InstallationAction::Other,
        },
        account: required(account, "installation.account.login")?,
    })
}

/// The repository of an event that always has one.
fn known(raw: Option<RawRepository>) -> Result<Repository, MessageError> {
    let raw = required(raw, "repository")?;
    required(raw.repository(), "repository.full_name")
}

/// The repository of any other event, if it has one.
fn about(body: &[u8]) -> Result<Option<Repository>, MessageError> {
    let other: Option<Other> = parse_any(body)?;
    Ok(other.and_then(|other| other.repository).and_then(RawRepository::repository))
}

impl RawRepository {
    fn repository(self) -> Option<Repository> {
        Repository::new(
            self.full_name?,
            [self.clone_url, self.ssh_url, self.git_url, self.html_url],
        )
    }
}
