//! Deployments: awaited, cancelled, rolled back to.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use windlass_domain::{BranchName, CommitId, GitUrl};

use crate::harness::{TestApi, id};

/// Carries out jobs until it is dropped.
struct Working {
    stop: CancellationToken,
}

impl Working {
    fn start(api: &TestApi) -> Self {
        let stop = CancellationToken::new();
        let (control, until) = (api.control.clone(), stop.clone());
        tokio::spawn(async move { control.run(until).await });
        Self { stop }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn push(api: &TestApi, commit: &str) {
    let source: GitUrl = "https://git.example.com/shop.git".parse().unwrap();
    let branch: BranchName = "main".parse().unwrap();
    let commit: CommitId = commit.repeat(40).parse().unwrap();
    api.engine.push(&source, &branch, &commit);
}

#[tokio::test]
async fn an_answer_waits_until_the_deployment_is_live_and_can_be_rolled_back_to() {
    let api = TestApi::start("deployment_live").await;
    let project = api.project("shop").await;
    push(&api, "a");
    let _working = Working::start(&api);

    let path = format!("/api/projects/{project}/environments?wait=30");
    let created = api.post(&path, json!({ "branch": "main" })).await;
    assert_eq!(created.body["state"], "active", "{}", created.body);
    let first = created.body["latest_deployment"].clone();
    assert_eq!(first["state"], "live");
    assert_eq!(first["commit"], "a".repeat(40));
    assert_eq!(created.body["live_deployment_id"], first["id"]);

    push(&api, "b");
    let environment = id(&created);
    let post = async |path: &str| api.send(&api.owner, Method::POST, path, None).await;
    let second = post(&format!("/api/environments/{environment}/rebuild?wait=30")).await;
    assert_eq!(second.body["commit"], "b".repeat(40), "{}", second.body);

    let first_path = format!("/api/deployments/{}", first["id"].as_str().unwrap());
    let back = post(&format!("{first_path}/rollback?wait=30")).await;
    assert_eq!(back.status, StatusCode::ACCEPTED, "{}", back.body);
    assert_eq!(back.body["state"], "live");
    assert_eq!(back.body["trigger"], "rollback");
    assert_eq!(back.body["rollback_of"], first["id"]);
    assert_eq!(back.body["build_id"], first["build_id"]);
    assert_eq!(api.get(&first_path).await.body["state"], "superseded");

    let usage = api.get("/api/usage").await;
    assert_eq!(usage.body["build_count"], 2);
}

#[tokio::test]
async fn a_deployment_can_be_cancelled_once_and_again() {
    let api = TestApi::start("deployment_cancel").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}/deployments");
    let deployment = api.get(&path).await.body[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/deployments/{deployment}");

    for _ in 0..2 {
        let cancelled = api.send(&api.owner, Method::POST, &format!("{path}/cancel"), None).await;
        assert_eq!(cancelled.status, StatusCode::ACCEPTED);
        assert_eq!(cancelled.body["state"], "cancelled");
        assert_eq!(cancelled.body["reason"], "cancelled by API key \"owner\"");
    }
    let waited = api.get(&format!("{path}?wait=60")).await;
    assert_eq!(waited.body["state"], "cancelled");
    let back = api.send(&api.owner, Method::POST, &format!("{path}/rollback"), None).await;
    assert_eq!((back.status, &back.body["code"]), (StatusCode::CONFLICT, &json!("not_built")));
}

#[tokio::test]
async fn who_may_deploy_but_not_look_gets_its_answer_at_once() {
    let api = TestApi::start("deployment_blind").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let key = api.key_with(&["deployments:write"]).await;

    let path = format!("/api/environments/{environment}/rebuild?wait=60");
    let rebuilt = api.send(&key, Method::POST, &path, None).await;

    assert_eq!((rebuilt.status, &rebuilt.body["state"]), (StatusCode::ACCEPTED, &json!("queued")));
    assert_eq!(rebuilt.body["commit"], Value::Null);
}

#[tokio::test]
async fn waiting_has_bounds() {
    let api = TestApi::start("deployment_wait").await;
    for wait in ["0", "61", "-1", "1.5", "99999999999999999999", "", "x"] {
        let path = format!("/api/deployments/dep_01kdvdna000000000000000006?wait={wait}");
        let refused = api.get(&path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wait}");
        assert_eq!(refused.body["code"], "invalid_query");
    }
}
