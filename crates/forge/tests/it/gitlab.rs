//! What GitLab sends.

use serde_json::{Value, json};
use windlass_forge::{Event, Forge, PullRequestAction};

use crate::support::{COMMIT, NONE, Request, branch_deleted, ignored, push};

const BEFORE: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";

fn request(event: &str, body: &Value) -> Request {
    Request::new(Forge::GitLab, event, body)
}

fn project() -> Value {
    json!({
        "id": 15,
        "name": "Shop",
        "path_with_namespace": "mike/stores/Shop",
        "web_url": "https://gitlab.example.com/mike/stores/Shop",
        "git_ssh_url": "ssh://git@gitlab.example.com:2222/mike/stores/Shop.git",
        "git_http_url": "https://gitlab.example.com/mike/stores/Shop.git",
        "default_branch": "main",
    })
}

fn push_body(reference: &str, before: &str, after: &str) -> Value {
    json!({
        "object_kind": "push",
        "before": before,
        "after": after,
        "ref": reference,
        "checkout_sha": after,
        "project_id": 15,
        "project": project(),
        "commits": [],
        "total_commits_count": 0,
    })
}

fn merge_request_body(action: &Value, source: &Value) -> Value {
    json!({
        "object_kind": "merge_request",
        "project": project(),
        "object_attributes": {
            "id": 99,
            "iid": 3,
            "source_branch": "till",
            "target_branch": "main",
            "source_project_id": source,
            "target_project_id": 15,
            "last_commit": { "id": COMMIT, "message": "Mend the till" },
            "action": action,
        },
    })
}

fn merge_request(action: PullRequestAction, from_fork: bool) -> Event {
    let (branch, commit) = ("till".parse().unwrap(), COMMIT.parse().unwrap());
    Event::PullRequest { number: 3, action, branch, commit, from_fork }
}

#[test]
fn a_push_is_told_with_its_project() {
    let delivery = request("Push Hook", &push_body("refs/heads/main", BEFORE, COMMIT)).delivery();
    assert_eq!(delivery.event, push("main"));
    assert_eq!(delivery.digest, None);
    let repository = delivery.repository.unwrap();
    assert_eq!(repository.full_name(), "mike/stores/Shop");
    for address in [
        "https://gitlab.example.com/mike/stores/shop",
        "ssh://git@gitlab.example.com:2222/mike/stores/shop.git",
    ] {
        assert!(repository.addresses().contains(&address.to_owned()), "{address}");
    }
}

#[test]
fn a_branch_begins_and_ends_with_zeros() {
    let event = request("Push Hook", &push_body("refs/heads/main", NONE, COMMIT)).event();
    assert!(matches!(event, Event::Push { created: true, .. }), "{event:?}");
    let event = request("Push Hook", &push_body("refs/heads/main", COMMIT, NONE)).event();
    assert_eq!(event, branch_deleted("main"));
}

#[test]
fn tags_and_other_events_are_left_alone() {
    let body = push_body("refs/tags/v1", NONE, COMMIT);
    for event in ["Tag Push Hook", "Note Hook", "System Hook"] {
        let delivery = request(event, &body).delivery();
        assert!(ignored(delivery.event).contains(event));
        assert!(delivery.repository.is_some());
    }
    assert_eq!(ignored(request("Push Hook", &body).event()), "`refs/tags/v1` is not a branch");
}

#[test]
fn what_happens_to_a_merge_request_is_told() {
    for (action, wanted) in [
        (json!("open"), PullRequestAction::Opened),
        (json!("reopen"), PullRequestAction::Opened),
        (json!("update"), PullRequestAction::Other),
        (json!("close"), PullRequestAction::Closed),
        (json!("merge"), PullRequestAction::Closed),
        (json!("approved"), PullRequestAction::Other),
        (Value::Null, PullRequestAction::Other),
    ] {
        let body = merge_request_body(&action, &15.into());
        let event = request("Merge Request Hook", &body).event();
        assert_eq!(event, merge_request(wanted, false), "{action}");
    }
    let mut body = merge_request_body(&"update".into(), &15.into());
    body["object_attributes"]["oldrev"] = BEFORE.into();
    let event = request("Merge Request Hook", &body).event();
    assert_eq!(event, merge_request(PullRequestAction::Updated, false));
}

#[test]
fn a_merge_request_of_another_project_is_from_a_fork() {
    for source in [16.into(), Value::Null] {
        let body = merge_request_body(&"open".into(), &source);
        let event = request("Merge Request Hook", &body).event();
        assert_eq!(event, merge_request(PullRequestAction::Opened, true), "{source}");
    }
}

#[test]
fn a_merge_request_without_a_commit_is_left_alone() {
    let mut body = merge_request_body(&"open".into(), &15.into());
    body["object_attributes"]["last_commit"] = Value::Null;
    let event = request("Merge Request Hook", &body).event();
    assert_eq!(ignored(event), "a merge request without a commit");
}

#[test]
fn what_stays_the_same_for_a_delivery_identifies_it() {
    let request = request("Push Hook", &push_body("refs/heads/main", BEFORE, COMMIT))
        .with("x-gitlab-webhook-uuid", "02affd2d-2cba-4033-917d-ec22d5dc4b38")
        .with("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e");
    let id = |request: &Request| request.clone().delivery().id.to_string();
    assert_eq!(id(&request), "f5e5f430-f57b-4e6e-9fac-d9128cd7232f");
    let request = request.without("idempotency-key");
    assert_eq!(id(&request), "02affd2d-2cba-4033-917d-ec22d5dc4b38");
    let request = request.without("x-gitlab-webhook-uuid");
    assert!(id(&request).starts_with("sha256:"), "{}", id(&request));
    let mut other = request.clone();
    other.body = push_body("refs/heads/other", BEFORE, COMMIT).to_string().into();
    assert_ne!(id(&request), id(&other));
}
