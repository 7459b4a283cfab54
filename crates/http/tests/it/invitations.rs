//! Invitations over HTTP.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::{Value, json};
use windlass_auth::Role;

use crate::harness::{Answer, TestApi, id};

async fn path(api: &TestApi) -> String {
    format!("/api/organizations/{}/invitations", api.organization().await)
}

async fn invite(api: &TestApi, email: &str, role: &str) -> Answer {
    api.post(&path(api).await, json!({ "email": email, "role": role })).await
}

/// Comes without any credential.
async fn register(api: &TestApi, token: &Value) -> Answer {
    let password = "correct horse battery staple";
    let body = json!({ "token": token, "name": "Grace", "password": password });
    let request = Request::post("/api/invitations/register")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    api.answer(request.unwrap()).await
}

#[tokio::test]
async fn somebody_is_invited_and_comes() {
    let api = TestApi::start("invitation").await;
    let made = invite(&api, "Grace@Example.com", "member").await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.body["email"], "grace@example.com");
    assert_eq!(made.body["status"], "pending");

    let joined = register(&api, &made.body["token"]).await;
    assert_eq!(joined.status, StatusCode::OK, "{}", joined.body);
    assert_eq!((&joined.body["name"], &joined.body["role"]), (&json!("Default"), &json!("member")));
    let members = api.get(&path(&api).await.replace("invitations", "members")).await.body;
    let newest = &members[0];
    assert_eq!(newest["email"], "grace@example.com");
    assert_eq!((&newest["name"], &newest["role"]), (&json!("Grace"), &json!("member")));

    let again = register(&api, &made.body["token"]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(again.body["fields"][0]["field"], "token");
}

#[tokio::test]
async fn who_came_by_which_invitation_is_written_down() {
    let api = TestApi::start("invitation_audit").await;
    let made = invite(&api, "grace@example.com", "member").await;
    register(&api, &made.body["token"]).await;
    let members = api.get(&path(&api).await.replace("invitations", "members")).await.body;
    let lines = api.get("/api/audit?limit=2").await.body;
    for (line, action) in [(&lines[0], "register_by_invitation"), (&lines[1], "create_invitation")]
    {
        assert_eq!((&line["action"], &line["outcome"]), (&json!(action), &json!("done")));
        assert_eq!(line["target"]["id"], made.body["id"]);
    }
    assert_eq!(lines[0]["actor"]["user_id"], members[0]["user_id"]);
    assert!(!lines.to_string().contains(made.body["token"].as_str().unwrap()));
}

#[tokio::test]
async fn the_list_tells_what_has_become_of_invitations_and_never_their_tokens() {
    let api = TestApi::start("invitation_list").await;
    let path = path(&api).await;
    let accepted = invite(&api, "a@example.com", "viewer").await;
    register(&api, &accepted.body["token"]).await;
    let revoked = invite(&api, "b@example.com", "viewer").await;
    let revoking = format!("{path}/{}", id(&revoked));
    for _ in 0..2 {
        assert_eq!(api.delete(&revoking).await.status, StatusCode::NO_CONTENT);
    }
    let body = json!({ "email": "c@example.com", "role": "viewer", "expires_in_seconds": 60 });
    let expired = api.post(&path, body).await;
    api.clock.advance(chrono::TimeDelta::seconds(60));
    let pending = invite(&api, "d@example.com", "viewer").await;

    let listed = api.get(&path).await.body;
    let told: Vec<(&str, &str)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["email"].as_str().unwrap(), it["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("d@example.com", "pending"),
            ("c@example.com", "expired"),
            ("b@example.com", "revoked"),
            ("a@example.com", "accepted"),
        ]
    );
    for made in [&accepted, &revoked, &expired, &pending] {
        let token = made.body["token"].as_str().unwrap();
        assert!(token.starts_with("wli_") && !listed.to_string().contains(token));
    }
    for made in [&accepted, &revoked, &expired] {
        let refused = register(&api, &made.body["token"]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    }
}

#[tokio::test]
async fn wrong_fields_are_told_at_once() {
    let api = TestApi::start("invitation_fields").await;
    let body = json!({ "email": "nobody", "role": "root", "expires_in_seconds": 0 });
    let refused = api.post(&path(&api).await, body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = refused.body["fields"].as_array().unwrap().iter();
    let fields: Vec<&str> = fields.map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["email", "role", "expires_in_seconds"]);
    assert_eq!(api.get(&path(&api).await).await.body, json!([]));
}

#[tokio::test]
async fn a_password_that_is_too_short_uses_no_invitation_up() {
    let api = TestApi::start("invitation_password").await;
    let made = invite(&api, "grace@example.com", "member").await;
    let body = json!({ "token": made.body["token"], "name": "Grace", "password": "short" });
    let refused = api.post("/api/invitations/register", body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["fields"][0]["field"], "password");
    assert_eq!(register(&api, &made.body["token"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_member_is_not_invited_again_and_somebody_who_looks_like_one_is_refused() {
    let api = TestApi::start("invitation_member").await;
    let made = invite(&api, "kay@example.com", "member").await;
    register(&api, &made.body["token"]).await;
    for same in ["kay@example.com", " KAY@EXAMPLE.COM "] {
        let refused = invite(&api, same, "owner").await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert_eq!(refused.body["code"], "already_a_member");
    }
    // The Kelvin sign is a `k` once its case is folded.
    let refused = invite(&api, "\u{212a}ay@example.com", "owner").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_key_that_may_only_manage_members_invites_nobody_to_more() {
    let api = TestApi::start("invitation_escalation").await;
    let narrow = api.key_with(&["members:read", "members:write"]).await;
    let (_, admin) = api.member_with_key("Admin", Role::Admin).await;
    let path = path(&api).await;
    for (key, role, code) in [
        (&narrow, "owner", "insufficient_scope"),
        (&narrow, "viewer", "insufficient_scope"),
        (&admin, "owner", "role_too_high"),
    ] {
        let body = json!({ "email": "grace@example.com", "role": role });
        let refused = api.send(key, Method::POST, &path, Some(body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{role}");
        assert_eq!(refused.body["code"], code);
    }
    assert_eq!(api.get(&path).await.body, json!([]));
}
