//! Previews of a real server: they come with a push, rest, wake up, and go with their branch.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Repository, TestServer, host_of};

/// GitLab, which knows a project's secret.
struct GitLab<'a> {
    server: &'a TestServer,
    secret: String,
    repository: String,
}

impl GitLab<'_> {
    /// Tells that a branch points to a commit now, or to none.
    async fn push(&self, branch: &str, commit: Option<&str>) -> Value {
        let none = "0".repeat(40);
        let body = json!({
            "object_kind": "push",
            "ref": format!("refs/heads/{branch}"),
            "before": none,
            "after": commit.unwrap_or(&none),
            "checkout_sha": commit,
            "project": {
                "path_with_namespace": "octo/shop",
                "git_http_url": self.repository,
                "web_url": "https://gitlab.example.com/octo/shop",
            },
        });
        let client = reqwest::Client::new();
        let url = format!("{}/api/webhooks/gitlab", self.server.api.base());
        let request = client
            .request(Method::POST, url)
            .header("X-Gitlab-Event", "Push Hook")
            .header("X-Gitlab-Token", &self.secret)
            .json(&body);
        let told = self.server.api.send(request).await;
        assert_eq!(told.status, StatusCode::OK, "{told:?}");
        told.body["deliveries"][0].clone()
    }
}

#[tokio::test]
async fn a_preview_comes_with_a_push_rests_wakes_up_and_goes_with_its_branch() {
    let server = TestServer::start("previews").await;
    let repository = Repository::answering("main");
    let settings = json!({ "previews": { "idle_pause_seconds": 1 } });
    let project = server.api.create_project(repository.path(), settings).await;
    let path = format!("/api/projects/{project}/webhook-secret");
    let secret = server.api.post(&path, json!({})).await.body;
    let gitlab = GitLab {
        server: &server,
        secret: secret["secret"].as_str().unwrap().to_owned(),
        repository: repository.path().to_str().unwrap().to_owned(),
    };

    repository.branch("feature");
    let commit = repository.answer("a preview");
    let told = gitlab.push("feature", Some(&commit)).await;
    assert_eq!(told["outcome"], "deployed", "{told}");
    let deployment = server.api.settled(told["deployment_id"].as_str().unwrap()).await;
    assert_eq!(deployment["state"], "live", "{deployment}\n{}", server.log());
    assert_eq!(deployment["commit"], commit);

    let path = format!("/api/environments/{}", told["environment_id"].as_str().unwrap());
    let resting = server.api.until(&path, |it| it["state"] == "paused").await;
    assert_eq!((&resting["kind"], &resting["wakes_on_request"]), (&json!("preview"), &json!(true)));
    let host = host_of(&resting);
    // Held until the app answers.
    let visit = server.api.visit(&server.ingress, &host).await;
    assert_eq!(visit, (StatusCode::OK, "a preview".to_owned()), "{}", server.log());
    let usage = server.api.get("/api/usage").await.body;
    assert_eq!(usage["build_count"], 1, "it was not built again");

    let told = gitlab.push("feature", None).await;
    assert_eq!(told["outcome"], "removed", "{told}");
    server.api.until(&path, |it| it["state"] == "destroyed").await;
    server.api.visit_until(&server.ingress, &host, StatusCode::NOT_FOUND).await;
}
