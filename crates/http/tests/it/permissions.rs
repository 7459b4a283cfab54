//! What an operation announces is what its use case asks for.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use windlass_auth::Permission;
use windlass_http::{OperationAccess, permissions};

use crate::harness::{TestApi, id};

/// One of everything that operations work on.
struct World {
    project: String,
    environment: String,
    deployment: String,
    variable: String,
    key: String,
    token: Value,
}

impl World {
    async fn make(api: &TestApi) -> Self {
        let project = api.project("shop").await;
        let environment = api.environment(&project, "main").await;
        let deployments = api.get(&format!("/api/environments/{environment}/deployments")).await;
        let path = format!("/api/projects/{project}/env-vars");
        let variable = api.put(&path, json!({ "key": "A", "value": "b" })).await;
        let key = json!({ "name": "victim", "scopes": [] });
        Self {
            deployment: deployments.body[0]["id"].as_str().unwrap().to_owned(),
            variable: id(&variable),
            token: api.post("/api/auth/tokens", json!({ "label": "victim" })).await.body,
            key: id(&api.post("/api/auth/api-keys", key).await),
            project,
            environment,
        }
    }

    fn path(&self, row: &OperationAccess) -> String {
        let id = match row.path.split('/').nth(2) {
            Some("projects") => &self.project,
            Some("environments") => &self.environment,
            Some("deployments") => &self.deployment,
            _ if row.path.starts_with("/api/auth/tokens") => self.token["id"].as_str().unwrap(),
            _ => &self.key,
        };
        row.path.replace("{id}", id).replace("{varId}", &self.variable)
    }
}

/// A body that the operation accepts, if it wants one.
fn body(world: &World, operation_id: &str) -> Option<Value> {
    match operation_id {
        "create_api_key" => Some(json!({ "name": "new", "scopes": [] })),
        "create_token" => Some(json!({ "label": "new" })),
        "revoke_presented_token" => Some(json!({ "token": world.token["token"] })),
        "create_link" => Some(json!({ "deployment_id": world.deployment })),
        "create_project" => Some(json!({ "name": "new", "github_repo": "o/new" })),
        "update_project" => Some(json!({ "port": 1 })),
        "create_environment" => Some(json!({ "branch": "other" })),
        "put_env_var" => Some(json!({ "key": "C", "value": "d" })),
        _ => None,
    }
}

fn guarded() -> Vec<(OperationAccess, Permission)> {
    let rows = permissions().into_iter();
    rows.filter_map(|row| row.permission.map(|permission| (row, permission))).collect()
}

async fn status(api: &TestApi, world: &World, row: &OperationAccess, key: &str) -> StatusCode {
    let method: Method = row.method.parse().unwrap();
    api.send(key, method, &world.path(row), body(world, &row.operation_id)).await.status
}

#[tokio::test]
async fn every_other_permission_together_is_not_enough() {
    let api = TestApi::start("permissions_others").await;
    let world = World::make(&api).await;
    for (row, permission) in guarded() {
        let others: Vec<&str> = Permission::ALL
            .into_iter()
            .filter(|other| *other != permission)
            .map(Permission::name)
            .collect();
        let key = api.key_with(&others).await;
        let status = status(&api, &world, &row, &key).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{} without {permission}", row.operation_id);
    }
}

#[tokio::test]
async fn the_announced_permission_alone_is_enough() {
    let api = TestApi::start("permissions_alone").await;
    for (row, permission) in guarded() {
        // Each in a fresh world, as some leave little behind.
        let world = World::make(&api).await;
        let key = api.key_with(&[permission.name()]).await;
        let status = status(&api, &world, &row, &key).await;
        // Nothing has been built to go back to.
        let is_fine = status.is_success() || row.operation_id == "rollback_deployment";
        assert!(is_fine, "{} with {permission}: {status}", row.operation_id);
        assert_ne!(status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_key_of_one_project_finds_nothing_of_another() {
    let api = TestApi::start("permissions_projects").await;
    let (mine, other) = (World::make(&api).await, World::make(&api).await);
    let body_of_key =
        json!({ "name": "bound", "scopes": ["admin"], "project_ids": [mine.project] });
    let created = api.post("/api/auth/api-keys", body_of_key).await;
    let key = created.body["key"].as_str().unwrap();

    for (row, _) in guarded() {
        let is_of_project = ["projects", "environments", "deployments"]
            .iter()
            .any(|part| row.path.starts_with(&format!("/api/{part}/{{id}}")));
        if is_of_project {
            let status = status(&api, &other, &row, key).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{}", row.operation_id);
        }
    }
    let listed = api.send(key, Method::GET, "/api/projects", None).await;
    assert_eq!(listed.body.as_array().unwrap().len(), 1);
    assert_eq!(listed.body[0]["id"], mine.project);
}
