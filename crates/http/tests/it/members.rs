//! Organizations and their members over HTTP.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use windlass_auth::Role;

use crate::harness::{Answer, TestApi};

fn names(answer: &Answer) -> Vec<&str> {
    let items = answer.body.as_array().unwrap().iter();
    items.map(|member| member["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_organization_is_found_and_renamed() {
    let api = TestApi::start("organization").await;
    let id = api.organization().await;
    let listed = api.get("/api/organizations").await.body;
    let path = format!("/api/organizations/{id}");
    let found = api.get(&path).await.body;
    assert_eq!(listed, json!([found]));
    assert_eq!((&found["name"], &found["role"]), (&json!("Default"), &json!("owner")));

    let renamed = api.patch(&path, json!({ "name": "Größe & Co" })).await;
    assert_eq!(renamed.status, StatusCode::OK);
    assert_eq!(api.get(&path).await.body["name"], "Größe & Co");
    let me = api.get("/api/auth/me").await.body;
    assert_eq!(me["organizations"][0]["name"], "Größe & Co");

    for name in ["", " Acme", "a\u{202e}b"] {
        let refused = api.patch(&path, json!({ "name": name })).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
    }
}

#[tokio::test]
async fn a_key_creates_no_organization() {
    let api = TestApi::start("organization_by_key").await;
    let refused = api.post("/api/organizations", json!({ "name": "New" })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["code"], "session_required");
    assert_eq!(api.get("/api/organizations").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn members_are_listed_page_by_page_changed_and_removed() {
    let api = TestApi::start("members").await;
    let members = format!("/api/organizations/{}/members", api.organization().await);
    let mut newest_first = vec!["Owner".to_owned()];
    let mut last = String::new();
    for name in ["Ada", "Grace", "Linus"] {
        api.clock.advance(chrono::TimeDelta::seconds(1));
        last = api.member(name, Role::Member).await;
        newest_first.insert(0, name.to_owned());
    }
    let first = api.get(&format!("{members}?limit=3")).await;
    assert_eq!(names(&first), newest_first[..3]);
    let cursor = first.headers["x-next-cursor"].to_str().unwrap();
    let rest = api.get(&format!("{members}?limit=3&cursor={cursor}")).await;
    assert_eq!(names(&rest), newest_first[3..]);

    let path = format!("{members}/{last}");
    let changed = api.patch(&path, json!({ "role": "admin" })).await;
    let expected = json!({ "user_id": last, "name": "Linus", "email": null, "role": "admin" });
    assert_eq!(changed.body, expected);
    assert_eq!(api.get(&path).await.body, changed.body);
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    for answer in [api.get(&path).await, api.delete(&path).await] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body["message"], "no such member");
    }
}

#[tokio::test]
async fn an_unknown_role_is_refused() {
    let api = TestApi::start("member_role").await;
    let member = api.member("Ada", Role::Member).await;
    let path = format!("/api/organizations/{}/members/{member}", api.organization().await);
    for role in ["", "Owner", "root", "owner "] {
        let refused = api.patch(&path, json!({ "role": role })).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{role:?}");
        assert_eq!(refused.body["fields"][0]["field"], "role");
    }
    assert_eq!(api.get(&path).await.body["role"], "member");
}

#[tokio::test]
async fn a_removed_members_key_is_refused_and_shown_as_revoked() {
    let api = TestApi::start("member_removed").await;
    let (member, key) = api.member_with_key("Grace", Role::Admin).await;
    let me = async || api.send(&key, Method::GET, "/api/auth/me", None).await.status;
    assert_eq!(me().await, StatusCode::OK);

    let path = format!("/api/organizations/{}/members/{member}", api.organization().await);
    assert_eq!(api.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(me().await, StatusCode::UNAUTHORIZED);
    let keys = api.get("/api/auth/api-keys").await.body;
    let is_theirs = |key: &&Value| key["created_by"] == member.as_str();
    let theirs: Vec<&Value> = keys.as_array().unwrap().iter().filter(is_theirs).collect();
    assert_eq!(theirs.len(), 1);
    assert_eq!(theirs[0]["status"], "revoked");
}

#[tokio::test]
async fn a_key_that_may_only_manage_members_makes_nobody_an_owner() {
    let api = TestApi::start("member_escalation").await;
    let narrow = api.key_with(&["members:read", "members:write"]).await;
    let member = api.member("Grace", Role::Viewer).await;
    let path = format!("/api/organizations/{}/members/{member}", api.organization().await);
    for role in ["owner", "admin", "member"] {
        let body = Some(json!({ "role": role }));
        let refused = api.send(&narrow, Method::PATCH, &path, body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{role}");
        assert_eq!(refused.body["code"], "insufficient_scope");
    }
    assert_eq!(api.get(&path).await.body["role"], "viewer");
}

#[tokio::test]
async fn the_last_owner_is_told_what_to_do_first() {
    let api = TestApi::start("member_last").await;
    let me = api.get("/api/auth/me").await.body;
    let (organization, user) = (&me["organizations"][0]["id"], &me["user"]["id"]);
    let path = format!(
        "/api/organizations/{}/members/{}",
        organization.as_str().unwrap(),
        user.as_str().unwrap()
    );
    for refused in [api.delete(&path).await, api.patch(&path, json!({ "role": "admin" })).await] {
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.body["code"], "last_owner");
    }
    assert_eq!(api.get(&path).await.body["role"], "owner");
}

#[tokio::test]
async fn an_owner_is_above_an_admin() {
    let api = TestApi::start("member_above").await;
    let (_, admin) = api.member_with_key("Grace", Role::Admin).await;
    let owner = api.member("Ada", Role::Owner).await;
    let path = format!("/api/organizations/{}/members/{owner}", api.organization().await);
    let demoting = Some(json!({ "role": "viewer" }));
    for refused in [
        api.send(&admin, Method::DELETE, &path, None).await,
        api.send(&admin, Method::PATCH, &path, demoting).await,
    ] {
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.body["code"], "role_too_high");
    }
    assert_eq!(api.get(&path).await.body["role"], "owner");
}
