//! What is refused leaves a line as well, however much of it there is.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::{Value, json};
use windlass_http::Peer;

use super::{log, send_as};
use crate::{
    contract,
    harness::{TestApi, id},
    matrix::world::World,
};

#[tokio::test]
async fn every_operation_that_is_refused_leaves_one_line() {
    let api = TestApi::start("audit_refused").await;
    let created = api.post("/api/auth/api-keys", json!({ "name": "none", "scopes": [] })).await;
    let key = created.body["key"].as_str().unwrap().to_owned();
    let world = World::make(&api).await;
    let rows = windlass_http::permissions();
    for (path, method, operation) in contract::operations() {
        let name = operation["operationId"].as_str().unwrap();
        let row = rows.iter().find(|row| row.operation_id == name).unwrap();
        let Some(permission) = row.permission else { continue };
        let method: Method = method.parse().unwrap();
        let path = world.path(name, path);
        let refused = send_as(&api, &key, &method, &path, world.body(name), name).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}: {}", refused.body);

        let lines = log(&api, &format!("actor={}", id(&created))).await;
        let lines: Vec<&Value> = lines.iter().filter(|line| line["request_id"] == name).collect();
        let [line] = lines.as_slice() else { panic!("{name}: {lines:?}") };
        assert_eq!(line["outcome"], "refused", "{name}");
        assert_eq!(line["action"], row.use_case, "{name}");
        assert_eq!(line["permission"], permission.name(), "{name}");
        assert_eq!(line["address"], "203.0.113.7", "{name}");
        assert!(line["target"]["id"].is_string(), "{name}");
    }
}

#[tokio::test]
async fn what_is_out_of_reach_is_told_to_the_owner_and_hidden_from_who_asks() {
    let api = TestApi::start("audit_hidden").await;
    let (mine, theirs) = (api.project("mine").await, api.project("theirs").await);
    let body = json!({ "name": "bound", "scopes": ["admin"], "project_ids": [mine] });
    let bound = api.post("/api/auth/api-keys", body).await;
    let path = format!("/api/projects/{theirs}");
    let key = bound.body["key"].as_str().unwrap();
    let hidden = api.send(key, Method::GET, &path, None).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    let missing = format!("{}0", &path[..path.len() - 1]);
    api.send(key, Method::GET, &missing, None).await;

    let lines = log(&api, "outcome=refused").await;
    assert_eq!(lines.len(), 1, "what is not there is no refusal: {lines:?}");
    assert_eq!(lines[0]["actor"]["credential_id"], id(&bound));
    assert_eq!(
        lines[0]["target"],
        json!({
            "kind": "project",
            "id": theirs,
            "project_id": theirs,
            "environment_id": null,
        })
    );
}

#[tokio::test]
async fn a_key_that_asks_for_more_than_it_has_is_noted() {
    let api = TestApi::start("audit_broader").await;
    let key = api.key_with(&["api_keys:write"]).await;
    let body = json!({ "name": "more", "scopes": ["admin"] });
    let refused = api.send(&key, Method::POST, "/api/auth/api-keys", Some(body)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let lines = log(&api, "outcome=refused").await;
    assert_eq!((lines.len(), &lines[0]["action"]), (1, &json!("create_api_key")));
}

#[tokio::test]
async fn a_key_that_is_used_from_elsewhere_is_noted() {
    let api = TestApi::start("audit_elsewhere").await;
    let body = json!({ "name": "home", "scopes": [], "allowed_addresses": ["198.51.100.0/24"] });
    let bound = api.post("/api/auth/api-keys", body).await;
    let key = bound.body["key"].as_str().unwrap();
    send_as(&api, key, &Method::GET, "/api/auth/me", None, "test").await;

    let lines = log(&api, "outcome=refused").await;
    assert_eq!((lines.len(), &lines[0]["action"]), (1, &json!("whoami")));
    assert_eq!(lines[0]["actor"]["credential_id"], id(&bound));
    assert_eq!(lines[0]["address"], "203.0.113.7");
}

async fn knock(api: &TestApi, from: &str, name: &str) {
    let from: IpAddr = from.parse().unwrap();
    let request = Request::get("/api/projects")
        .header(header::AUTHORIZATION, "Bearer wls_mistyped")
        .header("X-Request-Id", name)
        .extension(Peer(SocketAddr::new(from, 4711)));
    let answer = api.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn strangers_are_summed_up_by_where_they_come_from() {
    let api = TestApi::start("audit_strangers").await;
    knock(&api, "203.0.113.7", "first").await;
    for _ in 0..9 {
        knock(&api, "203.0.113.7", "again").await;
    }
    knock(&api, "203.0.113.8", "neighbour").await;
    for from in ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"] {
        knock(&api, from, "six").await;
    }

    let mut lines = log(&api, "action=authenticate").await;
    lines.sort_by_key(|line| line["address"].to_string());
    let seen = |line: &Value| {
        assert_eq!((&line["actor"], &line["target"]), (&Value::Null, &Value::Null));
        (line["address"].as_str().unwrap().to_owned(), line["times"].as_u64().unwrap())
    };
    let seen: Vec<_> = lines.iter().map(seen).collect();
    let expected =
        [("2001:db8:0:1::1", 1), ("2001:db8::1", 2), ("203.0.113.7", 10), ("203.0.113.8", 1)];
    assert_eq!(seen, expected.map(|(address, times)| (address.to_owned(), times)));
    assert_eq!(lines[2]["request_id"], "first");
}

#[tokio::test]
async fn a_flood_from_everywhere_fills_no_table() {
    let api = TestApi::start("audit_flood").await;
    for from in 0..300_u32 {
        knock(&api, &IpAddr::from(from.to_be_bytes()).to_string(), "flood").await;
    }

    let lines = api.get("/api/audit?action=authenticate&limit=200").await;
    let cursor = lines.headers["x-next-cursor"].to_str().unwrap();
    let rest = api.get(&format!("/api/audit?action=authenticate&limit=200&cursor={cursor}")).await;
    let lines: Vec<&Value> =
        lines.body.as_array().unwrap().iter().chain(rest.body.as_array().unwrap()).collect();
    assert_eq!(lines.len(), 257);
    let times: u64 = lines.iter().map(|line| line["times"].as_u64().unwrap()).sum();
    assert_eq!(times, 300, "none is lost");
    let others: Vec<_> = lines.iter().filter(|line| line["address"].is_null()).collect();
    assert_eq!((others.len(), &others[0]["times"]), (1, &json!(44)));
}
