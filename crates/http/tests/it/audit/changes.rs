//! No change without its line, and no line without its change.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use windlass_auth::Permission;

use super::{log, send_with};
use crate::{
    contract,
    harness::{Answer, TestApi},
    matrix::{
        callers::Presented,
        world::{World, changes},
    },
};

/// An operation that changes something.
struct Change {
    id: String,
    method: Method,
    path: String,
    /// By what the log calls it.
    action: String,
}

/// Who makes a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Key,
    Token,
    Session,
}

/// What takes somebody of its own, or nobody. Their own tests look for the lines of those.
const BY_OTHERS: &[&str] = &[
    "login",
    "set_up",
    "accept_invitation",
    "register_by_invitation",
    "exchange_login_code",
    "receive_webhook",
];
/// What takes a person who has signed in.
const BY_SESSION: &[&str] = &["create_organization", "logout", "end_session", "change_password"];
/// What takes a token.
const BY_TOKEN: &[&str] = &["end_own_token"];
/// What no token does: making credentials, and letting people in.
const NOT_BY_TOKEN: &[&str] = &[
    "create_api_key",
    "norrix_create_api_key",
    "rotate_api_key",
    "create_token",
    "create_invitation",
    "set_member_role",
];

impl By {
    /// What the log calls such a credential.
    fn kind(self) -> &'static str {
        match self {
            Self::Key => "api_key",
            Self::Token => "token",
            Self::Session => "session",
        }
    }

    fn does(self, operation: &str) -> bool {
        let not = match self {
            Self::Key => [BY_SESSION, BY_TOKEN],
            Self::Token => [BY_SESSION, NOT_BY_TOKEN],
            Self::Session => [BY_TOKEN, &[]],
        };
        !BY_OTHERS.contains(&operation) && !not.concat().contains(&operation)
    }

    fn presented(self, api: &TestApi, world: &World) -> Presented {
        match self {
            Self::Key => Presented::bearer(&api.owner),
            Self::Token => Presented::bearer(&world.token_text),
            Self::Session => Presented::session(&world.cookie),
        }
    }
}

/// Every change that the document has, and that somebody can make.
fn all(by: By) -> impl Iterator<Item = Change> {
    let rows = windlass_http::permissions();
    contract::operations().iter().filter_map(move |(path, method, operation)| {
        let method: Method = method.parse().unwrap();
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let action = rows.iter().find(|row| row.operation_id == id).unwrap().use_case.clone();
        let is_theirs = changes(&method) && by.does(&id);
        is_theirs.then(|| Change { id, method, path: path.clone(), action })
    })
}

async fn send(api: &TestApi, by: By, world: &World, change: &Change, name: &str) -> Answer {
    let path = world.path(&change.id, &change.path);
    let (presented, body) = (by.presented(api, world), world.body(&change.id));
    send_with(api, &presented, &change.method, &path, body, name).await
}

async fn lines_of(api: &TestApi, request: &str) -> Vec<Value> {
    let lines = log(api, "").await;
    lines.into_iter().filter(|line| line["request_id"] == request).collect()
}

/// Something for a change to be made to.
async fn stage(api: &TestApi, change: &Change) -> World {
    let world = World::make(api).await;
    world.make_ready(api, &change.id).await;
    world
}

/// Has every change made that somebody can make, and looks for its lines.
async fn change_everything(test: &str, by: By) {
    let api = TestApi::start(test).await;
    let rows = windlass_http::permissions();
    for change in all(by) {
        let id = &change.id;
        let world = stage(&api, &change).await;
        let (presented, who) = (by.presented(&api, &world), "/api/auth/me");
        let me = send_with(&api, &presented, &Method::GET, who, None, "who").await.body;
        let answer = send(&api, by, &world, &change, id).await;
        assert!(answer.status.is_success(), "{id}: {}", answer.body);

        let lines = lines_of(&api, id).await;
        let row = rows.iter().find(|row| row.operation_id == *id).unwrap();
        let permission = match (by, id.as_str()) {
            // It is another person's.
            (By::Session, "revoke_token" | "revoke_presented_token") => {
                Some(Permission::MembersWrite)
            }
            _ => row.permission,
        };
        for line in &lines {
            assert_eq!(line["action"], change.action, "{id}");
            assert_eq!(line["outcome"], "done", "{id}");
            assert_eq!(line["times"], 1, "{id}");
            assert_eq!(line["address"], "203.0.113.7", "{id}");
            assert_eq!(line["actor"]["kind"], by.kind(), "{id}");
            assert_eq!(line["actor"]["user_id"], me["user"]["id"], "{id}");
            assert_eq!(line["actor"]["credential_id"], me["credential"]["id"], "{id}");
            assert_eq!(line["permission"], json!(permission.map(Permission::name)), "{id}");
        }
        let mut targets: Vec<&Value> = lines.iter().map(|line| &line["target"]["id"]).collect();
        targets.sort_by_key(ToString::to_string);
        let touched = match id.as_str() {
            "logout" => me["credential"]["id"].clone(),
            _ => json!(world.touched(id, &change.path, &answer.body)),
        };
        // Rotating ends one key and begins another.
        let expected = match id.as_str() {
            "rotate_api_key" => vec![&touched, &answer.body["id"]],
            _ => vec![&touched],
        };
        assert_eq!(targets, expected, "{id}");
    }
}

#[tokio::test]
async fn every_change_by_a_key_writes_its_line() {
    change_everything("audit_by_key", By::Key).await;
}

#[tokio::test]
async fn every_change_by_a_token_writes_its_line() {
    change_everything("audit_by_token", By::Token).await;
}

#[tokio::test]
async fn every_change_by_a_person_who_has_signed_in_writes_its_line() {
    change_everything("audit_by_session", By::Session).await;
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let api = TestApi::start("audit_none").await;
    for change in all(By::Key) {
        let id = &change.id;
        let world = stage(&api, &change).await;
        let before = world.seen_by_owner(&api).await;
        api.database.execute("ALTER TABLE audit_log RENAME TO elsewhere").await;
        let failed = send(&api, By::Key, &world, &change, id).await;
        api.database.execute("ALTER TABLE elsewhere RENAME TO audit_log").await;

        assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR, "{id}: {}", failed.body);
        assert_eq!(world.seen_by_owner(&api).await, before, "{id}");
        assert_eq!(lines_of(&api, id).await, Vec::<Value>::new(), "{id}");
    }
}

#[tokio::test]
async fn what_changes_nothing_is_not_written_down() {
    let api = TestApi::start("audit_unchanged").await;
    let world = World::make(&api).await;
    let revoke = all(By::Key).find(|change| change.id == "revoke_api_key").unwrap();
    for (name, lines) in [("first", 1), ("again", 0)] {
        let answer = send(&api, By::Key, &world, &revoke, name).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(lines_of(&api, name).await.len(), lines, "{name}");
    }
}
