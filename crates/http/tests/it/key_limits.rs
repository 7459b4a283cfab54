//! What a key can do now is never more than its creator can do now.

use axum::http::{Method, StatusCode};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};
use tokio_util::sync::CancellationToken;
use windlass_storage::Signal;

use crate::harness::{TestApi, id};

async fn until(api: &TestApi, key: &str, method: Method, path: &str, wanted: StatusCode) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let body = (method == Method::POST).then(|| json!({ "name": "x", "scopes": [] }));
        let answer = api.send(key, method.clone(), path, body).await;
        if answer.status == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{method} {path} stays {}", answer.status);
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_key_loses_at_the_door_what_its_creator_has_lost() {
    let api = TestApi::start("key_limits").await;
    let key = api.key_with(&["admin"]).await;
    let stop = CancellationToken::new();
    let working = tokio::spawn({
        let (control, stop) = (api.control.clone(), stop.clone());
        async move { control.run(stop).await }
    });
    let keys = "/api/auth/api-keys";
    until(&api, &key, Method::POST, keys, StatusCode::CREATED).await;

    let me = api.send(&key, Method::GET, "/api/auth/me", None).await;
    let owner = me.body["user"]["id"].as_str().unwrap().parse().unwrap();
    // As whoever changes the person's place does.
    let tell = async || {
        let mut uow = api.store.write().await.unwrap();
        uow.signal(Signal::Member(owner));
        uow.commit().await.unwrap();
    };
    api.database.execute("UPDATE memberships SET role = 'viewer'").await;
    tell().await;
    until(&api, &key, Method::POST, keys, StatusCode::FORBIDDEN).await;
    until(&api, &key, Method::GET, keys, StatusCode::OK).await;

    api.database.execute("DELETE FROM memberships").await;
    tell().await;
    until(&api, &key, Method::GET, "/api/auth/me", StatusCode::UNAUTHORIZED).await;
    until(&api, &api.owner, Method::GET, "/api/auth/me", StatusCode::UNAUTHORIZED).await;
    stop.cancel();
    working.await.unwrap();
}

#[tokio::test]
async fn a_rotated_key_is_shown_once_and_the_old_one_ends_after_the_overlap() {
    let api = TestApi::start("key_rotation").await;
    let body = json!({ "name": "ci", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z" });
    let old = api.post("/api/auth/api-keys", body).await;
    let old_key = old.body["key"].as_str().unwrap();
    let path = format!("/api/auth/api-keys/{}/rotate", id(&old));
    let read = async |key: &str| api.send(key, Method::GET, "/api/projects", None).await.status;

    let new = api.post(&path, json!({ "overlap_seconds": 60 })).await;
    assert_eq!(new.status, StatusCode::CREATED, "{}", new.body);
    let new_key = new.body["key"].as_str().unwrap();
    for same in ["name", "scopes", "project_ids", "allowed_addresses", "expires_at"] {
        assert_eq!(new.body[same], old.body[same], "{same}");
    }
    assert_ne!(new.body["id"], old.body["id"]);
    let listed = api.get("/api/auth/api-keys").await;
    assert!(!listed.body.to_string().contains(new_key));
    assert_eq!(listed.body[1]["expires_at"], "2026-01-01T00:01:00Z");

    assert_eq!((read(old_key).await, read(new_key).await), (StatusCode::OK, StatusCode::OK));
    api.clock.advance(chrono::TimeDelta::seconds(60));
    assert_eq!(read(old_key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read(new_key).await, StatusCode::OK);

    let again = api.post(&path, json!({})).await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (StatusCode::CONFLICT, &json!("key_not_active"))
    );
    let path = format!("/api/auth/api-keys/{}/rotate", id(&new));
    let long = api.post(&path, json!({ "overlap_seconds": 604_801 })).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(long.body["fields"][0]["field"], "overlap_seconds");
    let at_once = api.post(&path, json!({})).await;
    assert_eq!(at_once.status, StatusCode::CREATED);
    assert_eq!(read(new_key).await, StatusCode::UNAUTHORIZED);
}
