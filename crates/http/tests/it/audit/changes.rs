//! No change without its line, and no line without its change.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::{log, send_as};
use crate::{
    contract,
    harness::{Answer, TestApi},
    matrix::world::{World, changes},
};

/// An operation that changes something.
struct Change {
    id: String,
    method: Method,
    path: String,
    /// By what the log calls it.
    action: String,
}

/// What a key cannot do, whatever it may, or nobody needs one for. Their own tests look for the lines
/// of those who can.
const FOR_PEOPLE: [&str; 10] = [
    "create_organization",
    "login",
    "logout",
    "end_session",
    "change_password",
    "set_up",
    "accept_invitation",
    "register_by_invitation",
    "exchange_login_code",
    "end_own_token",
];

/// Every one that the document has, and that a key can do.
fn all() -> impl Iterator<Item = Change> {
    let rows = windlass_http::permissions();
    contract::operations().iter().filter_map(move |(path, method, operation)| {
        let method: Method = method.parse().unwrap();
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let action = rows.iter().find(|row| row.operation_id == id).unwrap().use_case.clone();
        let is_for_keys = changes(&method) && !FOR_PEOPLE.contains(&id.as_str());
        is_for_keys.then(|| Change { id, method, path: path.clone(), action })
    })
}

async fn send(api: &TestApi, world: &World, change: &Change, name: &str) -> Answer {
    let path = world.path(&change.id, &change.path);
    send_as(api, &api.owner, &change.method, &path, world.body(&change.id), name).await
}

async fn lines_of(api: &TestApi, request: &str) -> Vec<Value> {
    let lines = log(api, "").await;
    lines.into_iter().filter(|line| line["request_id"] == request).collect()
}

#[tokio::test]
async fn every_operation_that_changes_something_writes_one_line() {
    let api = TestApi::start("audit_all").await;
    let me = api.get("/api/auth/me").await.body;
    for change in all() {
        let id = &change.id;
        let world = World::make(&api).await;
        if id == "rollback_deployment" {
            world.finish_build(&api).await;
        }
        let answer = send(&api, &world, &change, id).await;
        assert!(answer.status.is_success(), "{id}: {}", answer.body);

        let lines = lines_of(&api, id).await;
        let [line] = lines.as_slice() else { panic!("{id}: {lines:?}") };
        assert_eq!(line["action"], change.action, "{id}");
        assert_eq!(line["outcome"], "done", "{id}");
        assert_eq!(line["times"], 1, "{id}");
        assert_eq!(line["address"], "203.0.113.7", "{id}");
        assert_eq!(line["actor"]["kind"], "api_key", "{id}");
        assert_eq!(line["actor"]["user_id"], me["user"]["id"], "{id}");
        assert_eq!(line["actor"]["credential_id"], me["credential"]["id"], "{id}");
        let target = line["target"]["id"].as_str().unwrap();
        assert_eq!(target, world.touched(&change.id, &change.path, &answer.body), "{id}");
        let row = windlass_http::permissions();
        let row = row.iter().find(|row| row.operation_id == *id).unwrap();
        assert_eq!(line["permission"], row.permission.unwrap().name(), "{id}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done() {
    let api = TestApi::start("audit_none").await;
    for change in all() {
        let id = &change.id;
        let world = World::make(&api).await;
        if id == "rollback_deployment" {
            world.finish_build(&api).await;
        }
        let before = world.seen_by_owner(&api).await;
        api.database.execute("ALTER TABLE audit_log RENAME TO elsewhere").await;
        let failed = send(&api, &world, &change, id).await;
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
    let revoke = all().find(|change| change.id == "revoke_api_key").unwrap();
    for (name, lines) in [("first", 1), ("again", 0)] {
        let answer = send(&api, &world, &revoke, name).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(lines_of(&api, name).await.len(), lines, "{name}");
    }
}
