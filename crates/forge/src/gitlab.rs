//! The bodies of GitLab: <https://docs.gitlab.com/user/project/integrations/webhook_events/>.

use serde::Deserialize;

use crate::{
    Event, MessageError, PullRequestAction, Repository,
    event::{Told, is_zero},
    json::{parse, parse_any, required},
};

/// `Push Hook`
#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: Option<String>,
    before: Option<String>,
    after: Option<String>,
    project: Option<Project>,
}

/// `Merge Request Hook`
#[derive(Deserialize)]
struct MergeRequest {
    object_attributes: Option<Attributes>,
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Attributes {
    iid: Option<u64>,
    /// Absent where somebody tries the webhook.
    action: Option<String>,
    source_branch: Option<String>,
    /// `null` once it is gone.
    source_project_id: Option<u64>,
    target_project_id: Option<u64>,
    /// `null` where there is none yet.
    last_commit: Option<Commit>,
    /// Only where an update brought commits.
    oldrev: Option<String>,
}

#[derive(Deserialize)]
struct Commit {
    id: Option<String>,
}

/// Anything else.
#[derive(Deserialize)]
struct Other {
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: Option<String>,
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    web_url: Option<String>,
}

/// Reads the body of an event.
pub(crate) fn read(event: &str, body: &[u8]) -> Result<Told, MessageError> {
    match event {
        "Push Hook" => push(parse(body)?),
        "Merge Request Hook" => merge_request(parse(body)?),
        _ => {
            let other: Option<Other> = parse_any(body)?;
            let project = other.and_then(|other| other.project).and_then(Project::repository);
            Ok((project, Event::unknown(event)))
        }
    }
}

fn push(push: Push) -> Result<Told, MessageError> {
    let repository = known(push.project)?;
    let reference = required(push.reference, "ref")?;
    let after = required(push.after, "after")?;
    let before = required(push.before, "before")?;
    let Some(name) = reference.strip_prefix("refs/heads/") else {
        return Ok((Some(repository), Event::no_branch(&reference)));
    };
    let event = if is_zero(&after) {
        Event::on_branch(name, |branch| Event::BranchDeleted { branch })
    } else {
        let commit = required(after.parse().ok(), "after")?;
        let created = is_zero(&before);
        Event::on_branch(name, |branch| Event::Push { branch, commit, created, forced: false })
    };
    Ok((Some(repository), event))
}

fn merge_request(body: MergeRequest) -> Result<Told, MessageError> {
    let repository = known(body.project)?;
    let attributes = required(body.object_attributes, "object_attributes")?;
    let number = required(attributes.iid, "object_attributes.iid")?;
    let action = match attributes.action.as_deref() {
        Some("open" | "reopen") => PullRequestAction::Opened,
        Some("update") if attributes.oldrev.is_some() => PullRequestAction::Updated,
        Some("close" | "merge") => PullRequestAction::Closed,
        Some(_) | None => PullRequestAction::Other,
    };
    let name = required(attributes.source_branch, "object_attributes.source_branch")?;
    let Some(commit) = attributes.last_commit else {
        let why = "a merge request without a commit".to_owned();
        return Ok((Some(repository), Event::Ignored { why }));
    };
    let commit = commit.id.and_then(|id| id.parse().ok());
    let commit = required(commit, "object_attributes.last_commit.id")?;
    let target = attributes.target_project_id;
    let target = required(target, "object_attributes.target_project_id")?;
    let from_fork = attributes.source_project_id != Some(target);
    let event = Event::on_branch(&name, |branch| Event::PullRequest {
        number,
        action,
        branch,
        commit,
        from_fork,
    });
    Ok((Some(repository), event))
}

/// The repository of an event that always has one.
fn known(project: Option<Project>) -> Result<Repository, MessageError> {
    let project = required(project, "project")?;
    required(project.repository(), "project.path_with_namespace")
}

impl Project {
    fn repository(self) -> Option<Repository> {
        Repository::new(
            self.path_with_namespace?,
            [self.git_http_url, self.git_ssh_url, self.web_url],
        )
    }
}
