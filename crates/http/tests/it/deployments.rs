//! Deployments: awaited, cancelled, rolled back to.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use windlass_domain::{BranchName, CommitId, GitUrl};
use windlass_engine::fake::{BuildScript, Gate};

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

/// Long enough for a machine that does many things at once, shorter than any `wait` below.
const PATIENCE: Duration = Duration::from_secs(20);

fn push(api: &TestApi, commit: &str) -> CommitId {
    let source: GitUrl = "https://git.example.com/shop.git".parse().unwrap();
    let branch: BranchName = "main".parse().unwrap();
    let commit: CommitId = commit.repeat(40).parse().unwrap();
    api.engine.push(&source, &branch, &commit);
    commit
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
async fn the_answer_to_a_cancellation_can_wait_for_the_end_of_the_build() {
    let api = TestApi::start("deployment_cancel_wait").await;
    let project = api.project("shop").await;
    let (commit, gate) = (push(&api, "a"), Gate::closed());
    api.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}/deployments");
    let deployment = id_of_first(&api, &path).await;
    let _working = Working::start(&api);
    gate.reached().await;

    let path = format!("/api/deployments/{deployment}");
    let cancel = format!("{path}/cancel?wait=60");
    let cancelled = api.send(&api.owner, Method::POST, &cancel, None).await;

    assert_eq!(cancelled.status, StatusCode::ACCEPTED);
    assert_eq!(cancelled.body["state"], "cancelled");
    assert_eq!(api.get(&format!("{path}/logs")).await.body["ended"], true);
}

#[tokio::test]
async fn the_answers_to_a_destroy_and_to_a_deletion_can_wait_for_the_end() {
    let api = TestApi::start("destroy_wait").await;
    let project = api.project("shop").await;
    let (first, _) = (api.environment(&project, "a").await, api.environment(&project, "b").await);
    let _working = Working::start(&api);

    let path = format!("/api/environments/{first}/destroy?wait=60");
    let destroyed = api.send(&api.owner, Method::POST, &path, None).await;
    assert_eq!(destroyed.status, StatusCode::ACCEPTED);
    assert_eq!(destroyed.body["state"], "destroyed");

    let deleted = api.delete(&format!("/api/projects/{project}?wait=60")).await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED);
    assert_eq!(deleted.body["state"], "deleted");
    let path = format!("/api/projects/{project}");
    assert_eq!(api.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_stopping_server_keeps_nobody_waiting() {
    let api = TestApi::start("deployment_wait_stop").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}/deployments");
    let path = format!("/api/deployments/{}?wait=60", id_of_first(&api, &path).await);
    let rebuild = format!("/api/environments/{environment}/rebuild?wait=60");
    let stopping = async { api.stopping.cancel() };

    let answers = async {
        let (waited, ()) = tokio::join!(api.get(&path), stopping);
        (waited, api.send(&api.owner, Method::POST, &rebuild, None).await)
    };
    let answers = tokio::time::timeout(PATIENCE, answers).await;

    let (waited, asked) = answers.expect("answers at once");
    assert_eq!((waited.status, &waited.body["state"]), (StatusCode::OK, &json!("queued")));
    assert_eq!((asked.status, &asked.body["state"]), (StatusCode::ACCEPTED, &json!("queued")));
}

#[tokio::test]
async fn the_tag_tells_whether_a_deployment_has_moved_on() {
    let api = TestApi::start("deployment_tag").await;
    let project = api.project("shop").await;
    let environment = api.environment(&project, "main").await;
    let path = format!("/api/environments/{environment}/deployments");
    let path = format!("/api/deployments/{}", id_of_first(&api, &path).await);
    let before = api.get(&path).await.headers[header::ETAG].clone();
    let get = async || {
        let request = TestApi::request(&api.owner, Method::GET, &path)
            .header(header::IF_NONE_MATCH, &before)
            .body(Body::empty());
        api.answer(request.unwrap()).await
    };
    assert_eq!(get().await.status, StatusCode::NOT_MODIFIED);

    api.clock.advance(TimeDelta::seconds(1));
    api.send(&api.owner, Method::POST, &format!("{path}/cancel"), None).await;

    let after = get().await;
    assert_eq!((after.status, &after.body["state"]), (StatusCode::OK, &json!("cancelled")));
    assert_ne!(after.headers[header::ETAG], before);
}

async fn id_of_first(api: &TestApi, list: &str) -> String {
    api.get(list).await.body[0]["id"].as_str().unwrap().to_owned()
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
