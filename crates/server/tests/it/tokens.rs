//! Tokens and links, as those meet them who have nothing else.

use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};
use windlass_auth::{Narrowing, Permission, attenuate, inspect};
use windlass_domain::OsEntropy;

use crate::support::{Api, Repository, TestServer};

/// What a browser asks for.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn token(api: &Api, body: Value) -> String {
    let created = api.post("/api/auth/tokens", body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    created.body["token"].as_str().unwrap().to_owned()
}

async fn link(api: &Api, body: Value) -> String {
    let made = api.post("/api/links", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    made.body["url"].as_str().unwrap().to_owned()
}

/// Follows a link as a browser does.
async fn open(url: &str) -> reqwest::Response {
    Client::new().get(url).header(header::ACCEPT, BROWSER).send().await.unwrap()
}

#[tokio::test]
async fn a_token_is_handed_on_and_a_failed_builds_log_is_shared() {
    let server = TestServer::start_with("tokens", &[("LOG__FILTER", "trace,hyper=info")]).await;
    let repository = Repository::with(&[("index.html", "")]);
    let settings = json!({ "build_command": "echo what went wrong; false" });
    let deployed = server.api.deploy(repository.path(), settings).await;
    assert_eq!(deployed.state(), "failed");
    let deployment = deployed.deployment["id"].as_str().unwrap();

    // A key makes a token, its holder a narrower one, and that one a link.
    let parent = token(&server.api, json!({ "label": "everything" })).await;
    let narrowing = Narrowing {
        projects: Some(vec![deployed.project.parse().unwrap()]),
        permissions: Some(vec![Permission::LogsRead, Permission::DeploymentsRead]),
        allowed_addresses: Some(vec!["127.0.0.0/8".parse().unwrap()]),
        ..Narrowing::default()
    };
    let child = attenuate(&parent, &narrowing, &OsEntropy).unwrap().expose().to_owned();
    let holder = server.api.with_key(&child);
    let seen = holder.get(&format!("/api/deployments/{deployment}")).await;
    assert_eq!(seen.status, StatusCode::OK, "{seen:?}");
    let refused = holder.get("/api/auth/api-keys").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let body = json!({ "deployment_id": deployment });
    let of_key = link(&server.api, body.clone()).await;
    let of_token = link(&holder, body).await;
    for url in [&of_key, &of_token] {
        assert!(url.starts_with(server.api.base()), "{url}");
        let shown = open(url).await;
        assert_eq!(shown.status(), StatusCode::OK);
        assert_eq!(shown.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(shown.headers()[header::REFERRER_POLICY], "no-referrer");
        let text = shown.text().await.unwrap();
        assert!(text.contains("what went wrong"), "{text}");
        let elsewhere = url.replace("/logs?", "?");
        assert_eq!(open(&elsewhere).await.status(), StatusCode::UNAUTHORIZED);
    }

    let revoked = server.api.post("/api/auth/tokens/revoke", json!({ "token": child })).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(open(&of_token).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(open(&of_key).await.status(), StatusCode::OK);

    // Whatever is logged, it is none of these.
    let metrics = server.api.request(Method::GET, "/metrics").send().await.unwrap();
    let told = format!("{}{}", server.log(), metrics.text().await.unwrap());
    assert!(told.contains("/api/deployments/{id}/logs"), "requests are logged by their route");
    let in_url = |url: &str| url.split_once("token=").unwrap().1.to_owned();
    for secret in [parent, child, in_url(&of_key), in_url(&of_token)] {
        assert!(!told.contains(&secret), "a token was logged");
        // Nor a part of one: each ends with a signature or key of its own.
        assert!(!told.contains(&secret[secret.len() - 40..]), "a part of a token was logged");
    }
}

#[tokio::test]
async fn root_keys_are_rotated_while_the_server_runs() {
    let mut server = TestServer::start("root_keys").await;
    let old = token(&server.api, json!({ "label": "old" })).await;
    let works = async |server: &TestServer, token: &str| {
        server.api.with_key(token).get("/api/projects").await.status
    };
    assert_eq!(works(&server, &old).await, StatusCode::OK);

    let said = server.administer(&["rotate-root-key"]).await;
    assert!(said.starts_with("tokens are signed with key 2 from now on: ed25519/"), "{said}");
    let new = loop {
        let new = token(&server.api, json!({ "label": "new" })).await;
        if inspect(&new).unwrap().root_key == Some(2) {
            break new;
        }
    };
    for token in [&old, &new] {
        assert_eq!(works(&server, token).await, StatusCode::OK);
    }
    assert!(server.stop().await.success());
    server.start_again().await;
    for token in [&old, &new] {
        assert_eq!(works(&server, token).await, StatusCode::OK, "after a restart");
    }

    server.administer(&["rotate-root-key", "--drop-old"]).await;
    for token in [&old, &new] {
        while works(&server, token).await == StatusCode::OK {}
        assert_eq!(works(&server, token).await, StatusCode::UNAUTHORIZED);
    }
}
