//! A real server as a GitHub App: it builds a private repository, and GitHub hears of it.

mod github;

use std::path::Path;

use serde_json::{Value, json};

use self::github::GitHub;
use crate::support::{Repository, TestServer};

const KEY_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../github-app/tests/it/keys/app.pem");

#[tokio::test]
async fn a_private_repository_is_deployed_and_github_hears_of_it() {
    let repository = Repository::answering("a secret");
    let github = GitHub::start(repository.path()).await;
    let (url, api) = (github.at(""), github.at("/api/v3"));
    let server = TestServer::start_with(
        "github_app",
        &[
            ("GITHUB__URL", &url),
            ("GITHUB__API_URL", &api),
            ("GITHUB__APP__ID", "4711"),
            ("GITHUB__APP__PRIVATE_KEY_FILE", KEY_FILE),
            ("SERVER__PUBLIC_URL", "https://windlass.example.com"),
        ],
    )
    .await;
    let source = github.at("/octo/shop.git");
    let deployed = server.api.deploy(Path::new(&source), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}\n{}", deployed.reason(), server.log());
    assert_eq!(server.api.visit(&server.ingress, &deployed.host).await.1, "a secret");

    let told = github.until_told("success").await;
    let of = |status: &Value, name: &str| status[name].as_str().unwrap_or_default().to_owned();
    let last = told.statuses.last().unwrap();
    let log = format!("https://windlass.example.com/api/deployments/{}/logs", deployed.id());
    assert_eq!(
        (of(last, "state"), of(last, "context")),
        ("success".into(), "windlass/main".into())
    );
    assert_eq!(of(last, "target_url"), log);
    assert_eq!(told.deployments.len(), 1, "{told:?}");
    assert_eq!(told.deployments[0]["payload"]["windlass"], deployed.id());
    let last = told.deployment_statuses.last().unwrap();
    assert_eq!((of(last, "state"), of(last, "log_url")), ("success".into(), log));
    assert!(of(last, "environment_url").contains(&deployed.host), "{last}");
    assert!(!server.log().contains(github::TOKEN), "the token is in the log");
}
