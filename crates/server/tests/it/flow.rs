//! From a push to an app that answers, is replaced, rolled back, and taken down.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Repository, TestServer};

#[tokio::test]
async fn a_repository_becomes_an_app_and_is_replaced_without_a_failed_request() {
    let server = TestServer::start("flow").await;
    let repository = Repository::answering("one");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}\n{}", deployed.reason(), server.log());
    let visit = server.api.visit(&server.ingress, &deployed.host).await;
    assert_eq!(visit, (StatusCode::OK, "one".to_owned()));

    let (stop, answered, failed) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let visitors: Vec<_> = (0..4)
        .map(|_| {
            let (api, ingress, host) =
                (server.api.clone(), server.ingress.clone(), deployed.host.clone());
            let (stop, answered, failed) = (stop.clone(), answered.clone(), failed.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let (status, _) = api.visit(&ingress, &host).await;
                    let count = if status == StatusCode::OK { &answered } else { &failed };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let commit = repository.answer("two");
    let second = server.api.settled(&server.api.rebuild(&deployed.environment).await).await;
    assert_eq!((&second["state"], &second["commit"]), (&json!("live"), &json!(commit)));
    let (_, body) = server.api.visit(&server.ingress, &deployed.host).await;
    assert_eq!(body, "two");
    stop.store(true, Ordering::Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    assert!(0 < answered.load(Ordering::Relaxed));
    assert_eq!(failed.load(Ordering::Relaxed), 0, "{}", server.log());

    let first = server.api.get(&format!("/api/deployments/{}", deployed.id())).await.body;
    assert_eq!(first["state"], "superseded");
    let path = format!("/api/deployments/{}/rollback", deployed.id());
    let back = server.api.post(&path, json!({})).await;
    assert_eq!(back.status, StatusCode::ACCEPTED, "{back:?}");
    let back = server.api.settled(back.body["id"].as_str().unwrap()).await;
    assert_eq!((&back["state"], &back["build_id"]), (&json!("live"), &first["build_id"]));
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "one");
}

#[tokio::test]
async fn a_paused_environment_rests_over_a_restart_and_goes_on_without_a_build() {
    let mut server = TestServer::start("paused").await;
    let repository = Repository::answering("here");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());
    let path = format!("/api/environments/{}", deployed.environment);
    let paused = server.api.post(&format!("{path}/pause"), json!({})).await;
    assert_eq!((paused.status, &paused.body["state"]), (StatusCode::ACCEPTED, &json!("paused")));
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    server.api.visit_until(&server.ingress, &deployed.host, unavailable).await;
    let (_, page) = server.api.visit(&server.ingress, &deployed.host).await;
    assert!(page.contains("app_paused"), "{page}");

    server.kill_and_restart().await;
    server.api.visit_until(&server.ingress, &deployed.host, unavailable).await;
    assert_eq!(server.api.get(&path).await.body["state"], "paused");
    let resumed = server.api.post(&format!("{path}/resume"), json!({})).await;
    assert_eq!((resumed.status, &resumed.body["state"]), (StatusCode::ACCEPTED, &json!("active")));
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::OK).await;
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "here");
    let now = server.api.get(&path).await.body;
    assert_eq!(now["live_deployment_id"], deployed.id(), "{now}");
    assert_eq!(server.api.get("/api/usage").await.body["build_count"], 1);
}

#[tokio::test]
async fn a_destroyed_environment_is_gone_and_its_project_can_be_deleted() {
    let server = TestServer::start("destroyed").await;
    let repository = Repository::answering("here");
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}", deployed.reason());

    let path = format!("/api/environments/{}", deployed.environment);
    let destroying = server.api.post(&format!("{path}/destroy"), json!({})).await;
    assert_eq!(destroying.status, StatusCode::ACCEPTED, "{destroying:?}");
    server.api.until(&path, |environment| environment["state"] == "destroyed").await;
    server.api.visit_until(&server.ingress, &deployed.host, StatusCode::NOT_FOUND).await;

    let again = server.api.deploy(repository.path(), json!({ "name": "other" })).await;
    assert_eq!(again.state(), "live", "{}", again.reason());
    let project = format!("/api/projects/{}", again.project);
    let deleting = server.api.delete(&project).await;
    assert!(deleting.status.is_success(), "{deleting:?}");
    let path = format!("/api/environments/{}", again.environment);
    server.api.until(&path, |environment| environment["state"] == "destroyed").await;
    assert_eq!(server.api.get(&project).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_branch_has_an_address_of_its_own_even_where_names_collide() {
    let server = TestServer::start("branches").await;
    let repository = Repository::answering("main");
    let project = server.api.create_project(repository.path(), json!({})).await;
    let long = format!("feature/{}", "x".repeat(80));
    let mut environments = Vec::new();
    for (branch, text) in [("a/b", "slash"), ("a-b", "dash"), (long.as_str(), "long")] {
        repository.branch(branch);
        repository.answer(text);
        environments.push((server.api.create_environment(&project, branch).await, text));
    }
    for (environment, text) in environments {
        let id = environment["latest_deployment"]["id"].as_str().unwrap();
        let deployment = server.api.settled(id).await;
        assert_eq!(deployment["state"], "live", "{deployment}");
        let host = crate::support::host_of(&environment);
        assert!(host.split('.').next().unwrap().len() <= 63, "{host}");
        assert_eq!(server.api.visit(&server.ingress, &host).await.1, text);
    }
}

#[tokio::test]
async fn variables_reach_builds_and_apps_byte_for_byte_and_cannot_be_read_back() {
    let server = TestServer::start("variables").await;
    let value = "a \"quoted\" $HOME `id` \\n line\nnext\tзначение 🦀 '";
    let app = r#"
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["GREETING"].encode("utf-8", "surrogateescape")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"#;
    let repository =
        Repository::with(&[("app.py", app), ("Procfile", "web: exec python3 app.py\n")]);
    let project = server.api.create_project(repository.path(), json!({})).await;
    let path = format!("/api/projects/{project}/env-vars");
    let put = server.api.put(&path, json!({ "key": "GREETING", "value": value })).await;
    assert!(put.status.is_success(), "{put:?}");
    let listed = server.api.get(&path).await.body.to_string();
    assert!(!listed.contains("quoted") && listed.contains("********"), "{listed}");

    let environment = server.api.create_environment(&project, "main").await;
    let id = environment["latest_deployment"]["id"].as_str().unwrap();
    let deployment = server.api.settled(id).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let host = crate::support::host_of(&environment);
    assert_eq!(server.api.visit(&server.ingress, &host).await.1, value);
    assert!(!server.log().contains("quoted"));
}

#[tokio::test]
async fn a_push_calls_off_only_what_still_waits() {
    let server = TestServer::start("supersede").await;
    let slow = "#!/bin/sh\necho begun\nwhile [ ! -e release ]; do sleep 0.1; done\n";
    let repository = Repository::answering("app");
    repository.commit(&[("build.sh", slow)]);
    let settings = json!({ "build_command": "sh build.sh" });
    let project = server.api.create_project(repository.path(), settings).await;
    let environment = server.api.create_environment(&project, "main").await;
    let first = environment["latest_deployment"]["id"].as_str().unwrap();
    let id = environment["id"].as_str().unwrap();
    server.api.until(&format!("/api/deployments/{first}"), |it| it["state"] == "building").await;
    let second = server.api.rebuild(id).await;
    let third = server.api.rebuild(id).await;

    assert_eq!(server.api.settled(&second).await["state"], "cancelled");
    let first_now = server.api.get(&format!("/api/deployments/{first}")).await.body;
    assert_eq!(first_now["state"], "building", "{first_now}");
    for deployment in [first, &third] {
        let path = format!("/api/deployments/{deployment}/cancel");
        let cancelled = server.api.send(server.api.request(Method::POST, &path)).await;
        assert!(cancelled.status.is_success(), "{cancelled:?}");
    }
    assert_eq!(server.api.settled(first).await["state"], "cancelled");
    assert_eq!(server.api.settled(&third).await["state"], "cancelled");
}
