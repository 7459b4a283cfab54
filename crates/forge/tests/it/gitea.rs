//! What Gitea and Forgejo send.

use serde_json::{Value, json};
use windlass_forge::{Event, Forge, PullRequestAction};

use crate::support::{COMMIT, NONE, Request, branch_deleted, ignored, push};

fn request(event: &str, body: &Value) -> Request {
    Request::new(Forge::Gitea, event, body)
}

fn repository() -> Value {
    json!({
        "id": 140,
        "full_name": "gitea/webhooks",
        "html_url": "http://localhost:3000/gitea/webhooks",
        "ssh_url": "ssh://gitea@localhost:2222/gitea/webhooks.git",
        "clone_url": "http://localhost:3000/gitea/webhooks.git",
    })
}

fn push_body(before: &str, after: &str) -> Value {
    json!({
        "ref": "refs/heads/develop",
        "before": before,
        "after": after,
        "commits": null,
        "repository": repository(),
    })
}

fn pull_request_body(action: &str, head: &Value) -> Value {
    json!({
        "action": action,
        "number": 7,
        "pull_request": {
            "head": head,
            "base": { "label": "main", "ref": "main", "repo_id": 140, "repo": repository() },
        },
        "repository": repository(),
    })
}

fn pull_request(branch: &str, action: PullRequestAction, from_fork: bool) -> Event {
    let (branch, commit) = (branch.parse().unwrap(), COMMIT.parse().unwrap());
    Event::PullRequest { number: 7, action, branch, commit, from_fork }
}

#[test]
fn a_push_is_told_with_its_repository() {
    let body = push_body("28e1879d029cb852e4844d9c718537df08844e03", COMMIT);
    let delivery = request("push", &body).delivery();
    assert_eq!(delivery.event, push("develop"));
    assert_eq!(delivery.id.as_str(), "f6266f16-1bf3-46a5-9ea4-602e06ead473");
    assert_eq!(delivery.digest, None);
    let address = "http://localhost:3000/gitea/webhooks".parse().unwrap();
    assert!(delivery.repository.unwrap().is_at(&address));
}

#[test]
fn a_branch_begins_with_zeros_and_ends_with_zeros_or_a_deletion() {
    let event = request("push", &push_body(NONE, COMMIT)).event();
    assert!(matches!(event, Event::Push { created: true, .. }), "{event:?}");
    assert_eq!(request("push", &push_body(COMMIT, NONE)).event(), branch_deleted("develop"));
    let body = json!({ "ref": "develop", "ref_type": "branch", "repository": repository() });
    assert_eq!(request("delete", &body).event(), branch_deleted("develop"));
}

#[test]
fn what_happens_to_a_pull_request_is_told() {
    for (action, wanted) in [
        ("opened", PullRequestAction::Opened),
        ("reopened", PullRequestAction::Opened),
        ("synchronized", PullRequestAction::Updated),
        ("closed", PullRequestAction::Closed),
        ("label_updated", PullRequestAction::Other),
    ] {
        let head = json!({ "label": "till", "ref": "till", "sha": COMMIT, "repo": repository() });
        let event = request("pull_request", &pull_request_body(action, &head)).event();
        assert_eq!(event, pull_request("till", wanted, false), "{action}");
    }
}

#[test]
fn a_pull_request_that_anybody_can_push_is_from_a_fork() {
    let pushed_for = json!({ "label": "", "ref": "refs/pull/7/head", "sha": COMMIT,
                             "repo": repository() });
    let fork = json!({ "label": "till", "ref": "till", "sha": COMMIT, "repo": { "id": 141 } });
    let gone = json!({ "label": "till", "ref": "refs/pull/7/head", "sha": COMMIT, "repo": null });
    for (head, branch) in [(pushed_for, "refs/pull/7/head"), (fork, "till"), (gone, "till")] {
        let event = request("pull_request", &pull_request_body("opened", &head)).event();
        assert_eq!(event, pull_request(branch, PullRequestAction::Opened, true), "{head}");
    }
}

#[test]
fn events_of_github_alone_are_not_known() {
    for event in ["ping", "installation", "create"] {
        assert!(ignored(request(event, &json!({})).event()).contains(event));
    }
}

#[test]
fn forgejo_may_use_names_of_its_own() {
    let request = request("push", &push_body(NONE, COMMIT));
    let mut renamed = request.clone();
    renamed.headers.clear();
    for (name, value) in &request.headers {
        let name = name.as_str().replace("gitea", "forgejo");
        renamed = renamed.with(&name, value.to_str().unwrap());
    }
    assert_eq!(renamed.delivery(), request.delivery());
}
