//! What GitHub sends.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use windlass_forge::{Event, Forge, InstallationAction, PullRequestAction};

use crate::support::{COMMIT, NONE, Request, branch_deleted, ignored, push};

fn request(event: &str, body: &Value) -> Request {
    Request::new(Forge::GitHub, event, body)
}

fn repository() -> Value {
    json!({
        "id": 186_853_002,
        "full_name": "octo-org/Shop",
        "private": true,
        "owner": { "login": "octo-org", "id": 7 },
        "html_url": "https://github.com/octo-org/Shop",
        "git_url": "git://github.com/octo-org/Shop.git",
        "ssh_url": "git@github.com:octo-org/Shop.git",
        "clone_url": "https://github.com/octo-org/Shop.git",
        "pushed_at": 1_557_933_657,
    })
}

fn push_body(reference: &str) -> Value {
    json!({
        "ref": reference,
        "before": "95790bf891e76fee5e1747ab589903a6a1f80f22",
        "after": COMMIT,
        "created": false,
        "deleted": false,
        "forced": false,
        "base_ref": null,
        "commits": [{ "id": COMMIT, "message": "Mend the till", "added": [] }],
        "head_commit": { "id": COMMIT },
        "repository": repository(),
        "pusher": { "name": "octocat" },
    })
}

fn pull_request_body(action: &str, head_repo: &Value) -> Value {
    json!({
        "action": action,
        "number": 12,
        "pull_request": {
            "id": 279_147_437,
            "head": { "label": "octo-org:till", "ref": "till", "sha": COMMIT, "repo": head_repo },
            "base": { "label": "octo-org:main", "ref": "main", "sha": NONE, "repo": repository() },
        },
        "repository": repository(),
    })
}

fn pull_request(action: PullRequestAction, from_fork: bool) -> Event {
    let (branch, commit) = ("till".parse().unwrap(), COMMIT.parse().unwrap());
    Event::PullRequest { number: 12, action, branch, commit, from_fork }
}

#[test]
fn a_push_is_told_with_its_repository() {
    let request = request("push", &push_body("refs/heads/feature/till"));
    let body = request.body.clone();
    let delivery = request.delivery();
    assert_eq!(delivery.event, push("feature/till"));
    assert_eq!(delivery.forge, Forge::GitHub);
    assert_eq!(delivery.id.as_str(), "72d3162e-cc78-11e3-81ab-4c9367dc0958");
    assert_eq!(delivery.digest, Some(Sha256::digest(&body).into()));
    let repository = delivery.repository.unwrap();
    assert_eq!(repository.full_name(), "octo-org/Shop");
    for address in ["https://github.com/octo-org/shop", "git@github.com:octo-org/shop.git"] {
        assert!(repository.addresses().contains(&address.to_owned()), "{address}");
        assert!(repository.is_at(&address.parse().unwrap()), "{address}");
    }
}

#[test]
fn a_new_branch_and_one_that_lost_commits_are_told_as_such() {
    for (created, forced) in [(true, false), (false, true)] {
        let mut body = push_body("refs/heads/main");
        (body["created"], body["forced"]) = (created.into(), forced.into());
        let (branch, commit) = ("main".parse().unwrap(), COMMIT.parse().unwrap());
        let wanted = Event::Push { branch, commit, created, forced };
        assert_eq!(request("push", &body).event(), wanted);
    }
}

#[test]
fn a_push_that_deletes_a_branch_is_its_end() {
    let mut body = push_body("refs/heads/main");
    (body["deleted"], body["after"]) = (true.into(), NONE.into());
    assert_eq!(request("push", &body).event(), branch_deleted("main"));
}

#[test]
fn a_deleted_branch_is_told_by_its_own_event_too() {
    let body = |kind: &str| json!({ "ref": "till", "ref_type": kind, "repository": repository() });
    assert_eq!(request("delete", &body("branch")).event(), branch_deleted("till"));
    assert_eq!(ignored(request("delete", &body("tag")).event()), "`till` is not a branch");
}

#[test]
fn a_push_of_a_tag_is_left_alone() {
    let event = request("push", &push_body("refs/tags/v1")).event();
    assert_eq!(ignored(event), "`refs/tags/v1` is not a branch");
}

#[test]
fn a_branch_whose_name_we_cannot_take_is_left_alone() {
    for name in ["x".repeat(201), "a\u{202e}b".to_owned(), "-rf".to_owned()] {
        let why = ignored(request("push", &push_body(&format!("refs/heads/{name}"))).event());
        assert!(why.starts_with("the name of the branch `"), "{why}");
        assert!(!why.contains('\u{202e}') && why.len() < 300, "{why}");
    }
}

#[test]
fn what_happens_to_a_pull_request_is_told() {
    for (action, wanted) in [
        ("opened", PullRequestAction::Opened),
        ("reopened", PullRequestAction::Opened),
        ("synchronize", PullRequestAction::Updated),
        ("closed", PullRequestAction::Closed),
        ("labeled", PullRequestAction::Other),
    ] {
        let body = pull_request_body(action, &repository());
        let wanted = pull_request(wanted, false);
        assert_eq!(request("pull_request", &body).event(), wanted, "{action}");
    }
}

#[test]
fn a_pull_request_of_another_repository_is_from_a_fork() {
    let wanted = pull_request(PullRequestAction::Opened, true);
    for head_repo in [json!({ "id": 5, "full_name": "octo-org/Shop" }), Value::Null] {
        let body = pull_request_body("opened", &head_repo);
        assert_eq!(request("pull_request", &body).event(), wanted, "{head_repo}");
    }
}

#[test]
fn a_ping_needs_no_repository() {
    let delivery = request("ping", &json!({ "zen": "Keep it simple.", "hook_id": 1 })).delivery();
    assert_eq!((delivery.event, delivery.repository), (Event::Ping, None));
    let body = json!({ "zen": "Keep it simple.", "repository": repository() });
    assert!(request("ping", &body).delivery().repository.is_some());
}

#[test]
fn an_installation_tells_whose_it_is() {
    let body = |action: &str, account: Value| json!({ "action": action, "installation": { "id": 42, "account": account } });
    for (event, action, wanted) in [
        ("installation", "created", InstallationAction::Created),
        ("installation", "deleted", InstallationAction::Deleted),
        ("installation", "suspend", InstallationAction::Suspended),
        ("installation", "unsuspend", InstallationAction::Unsuspended),
        ("installation", "new_permissions_accepted", InstallationAction::Other),
        ("installation_repositories", "added", InstallationAction::RepositoriesChanged),
        ("installation_repositories", "removed", InstallationAction::RepositoriesChanged),
    ] {
        let wanted = Event::Installation { id: 42, action: wanted, account: "octo-org".to_owned() };
        for account in [json!({ "login": "octo-org" }), json!({ "slug": "octo-org" })] {
            assert_eq!(request(event, &body(action, account)).event(), wanted, "{action}");
        }
    }
    let nobody = request("installation", &body("created", Value::Null));
    assert_eq!(nobody.fault(), "installation.account.login");
}

#[test]
fn events_that_we_do_not_know_are_left_alone_whatever_they_hold() {
    let body = json!({ "repository": repository() });
    let delivery = request("star", &body).delivery();
    assert!(ignored(delivery.event).contains("`star`"));
    assert!(delivery.repository.is_some());
    for body in [json!({ "repository": 5 }), json!([]), json!("x"), json!(null)] {
        let delivery = request("star", &body).delivery();
        assert_eq!(delivery.repository, None, "{body}");
        ignored(delivery.event);
    }
}

#[test]
fn a_form_is_read_and_its_signature_is_that_of_the_form() {
    let body = push_body("refs/heads/main").to_string();
    let mut form = form_urlencoded::Serializer::new(String::new());
    let form = form.append_pair("payload", &body).finish();
    let request = Request::new(Forge::GitHub, "push", &form)
        .with("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let delivery = request.delivery();
    assert_eq!(delivery.event, push("main"));
    assert_eq!(delivery.digest, Some(Sha256::digest(form).into()));
}
