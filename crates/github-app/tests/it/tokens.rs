//! Tokens, and the key with which they are asked for.

use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use serde_json::json;
use windlass_domain::GithubRepo;
use windlass_github_app::{CommitState, CommitStatus, GitHubApp, GitHubAppError, InstallationId};

use crate::stand_in::{COMMIT, Canned, INSTALLATION, OTHER_KEY, StandIn, repository};

const TOKENS: &str = "POST /app/installations/99/access_tokens";
const LOOK_UP: &str = "GET /repos/octo/shop/installation";

fn message(err: GitHubAppError) -> String {
    match err {
        GitHubAppError::Refused { message, .. } => message,
        GitHubAppError::RateLimited { .. }
        | GitHubAppError::Unavailable { .. }
        | GitHubAppError::Misconfigured(_) => panic!("{err:?}"),
    }
}

#[tokio::test]
async fn a_token_is_narrowed_to_one_repository_and_used_until_shortly_before_its_end() {
    let github = StandIn::start().await;
    let app = github.app();
    let first = app.clone_token(&repository(), None).await.unwrap();
    {
        let world = github.world();
        let (repositories, permissions) = world.newest_token();
        assert_eq!(repositories, ["shop"]);
        assert_eq!(*permissions, json!({ "contents": "read" }));
    }
    github.clock.advance(TimeDelta::minutes(49));
    let capitals: GithubRepo = "Octo/Shop".parse().unwrap();
    let second = app.clone_token(&capitals, None).await.unwrap();
    assert_eq!(first.token.expose_secret(), second.token.expose_secret());
    assert_eq!((github.asked(TOKENS), github.asked(LOOK_UP)), (1, 1));

    github.clock.advance(TimeDelta::minutes(2));
    let third = app.clone_token(&repository(), None).await.unwrap();
    assert_ne!(first.token.expose_secret(), third.token.expose_secret());
    assert!(first.expires_at < third.expires_at);
    assert_eq!(github.asked(TOKENS), 2);
}

#[tokio::test]
async fn an_installation_that_is_known_is_not_looked_up() {
    let github = StandIn::start().await;
    let known = Some(InstallationId(INSTALLATION));
    github.app().clone_token(&repository(), known).await.unwrap();
    assert_eq!((github.asked(TOKENS), github.asked(LOOK_UP)), (1, 0));
}

#[tokio::test]
async fn tokens_that_are_forgotten_are_asked_for_anew() {
    let github = StandIn::start().await;
    let app = github.app();
    app.clone_token(&repository(), None).await.unwrap();
    app.forget_tokens(&repository());
    app.clone_token(&repository(), None).await.unwrap();
    assert_eq!(github.asked(TOKENS), 2);
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced_at_once() {
    let github = StandIn::start().await;
    let app = github.app();
    let status = CommitStatus {
        state: CommitState::Pending,
        context: "windlass/main".to_owned(),
        description: String::new(),
        target_url: None,
    };
    let commit = COMMIT.parse().unwrap();
    app.set_commit_status(&repository(), &commit, &status).await.unwrap();
    github.world().revoke_tokens();
    app.set_commit_status(&repository(), &commit, &status).await.unwrap();
    assert_eq!(github.world().statuses.len(), 2);
}

#[tokio::test]
async fn whoever_has_not_installed_the_app_is_told_where() {
    let github = StandIn::start().await;
    github.world().installed = false;
    let err = github.app().clone_token(&repository(), None).await.unwrap_err();
    assert_eq!(
        message(err),
        "the GitHub App is not installed on `octo/shop`: install it at \
         https://github.example/apps/windlass-test/installations/new"
    );
    let gone = Some(InstallationId(INSTALLATION));
    let err = github.app().clone_token(&repository(), gone).await.unwrap_err();
    assert!(message(err).contains("installation is gone: install it at https://github.example"));
}

#[tokio::test]
async fn a_permission_that_was_not_given_is_named() {
    let github = StandIn::start().await;
    github.world().permissions = json!({ "metadata": "read" });
    let app = github.app();
    let said = message(app.clone_token(&repository(), None).await.unwrap_err());
    assert!(said.contains("not granted") && said.contains("`Contents: read-only`"), "{said}");

    github.world().permissions = json!({ "pull_requests": "write" });
    let missing = Canned::Status(
        403,
        vec![("x-accepted-github-permissions", "issues=write; pull_requests=write".to_owned())],
        "{\"message\":\"Resource not accessible by integration\"}".to_owned(),
    );
    github.next("/comments", missing);
    let said = message(app.comment_once(&repository(), 5, "x", "x").await.unwrap_err());
    assert!(said.contains("`Pull requests: read and write`"), "{said}");
    assert!(said.contains("(`issues=write; pull_requests=write`)"), "{said}");
}

#[tokio::test]
async fn a_repository_that_was_renamed_is_said_to_be() {
    let github = StandIn::start().await;
    let elsewhere = vec![("location", "https://elsewhere.example/repositories/7".to_owned())];
    github.next(LOOK_UP, Canned::Status(301, elsewhere, "{}".to_owned()));
    let said = message(github.app().clone_token(&repository(), None).await.unwrap_err());
    assert!(said.contains("has another name at GitHub now"), "{said}");
}

#[tokio::test]
async fn a_key_that_is_none_is_said_to_be() {
    let github = StandIn::start().await;
    let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let broken = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n";
    for (key, wanted) in [
        ("", "`-----BEGIN RSA PRIVATE KEY-----`"),
        ("hunter2", "`-----BEGIN RSA PRIVATE KEY-----`"),
        (broken, "cannot be read: it must be RSA"),
        (&elliptic, "must be an RSA key"),
    ] {
        let err = GitHubApp::new(&github.config(key), github.clock.clone()).unwrap_err();
        assert!(matches!(err, GitHubAppError::Misconfigured(_)), "{err:?}");
        let said = err.to_string();
        assert!(said.contains(wanted), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("c2VjcmV0"), "{said}");
    }
}

#[tokio::test]
async fn a_key_that_github_does_not_know_is_the_fault_of_whoever_set_it() {
    let github = StandIn::start().await;
    let other = GitHubApp::new(&github.config(OTHER_KEY), github.clock.clone()).unwrap();
    let mut config = github.config(crate::stand_in::KEY);
    config.app_id = 1;
    let nobody = GitHubApp::new(&config, github.clock.clone()).unwrap();
    for app in [other, nobody] {
        let err = app.clone_token(&repository(), None).await.unwrap_err();
        assert!(matches!(err, GitHubAppError::Misconfigured(_)), "{err:?}");
        assert!(err.to_string().contains("does not take its private key"), "{err}");
    }
}

#[tokio::test]
async fn secrets_are_sent_over_tls_or_not_beyond_this_machine() {
    let github = StandIn::start().await;
    for (api, is_fine) in [
        ("http://localhost:1/api/v3", true),
        ("http://[::1]:1", true),
        ("http://api.github.com", false),
        ("http://localhost.example.com", false),
        ("ftp://api.github.com", false),
        ("https://me:hunter2@api.github.com", false),
        ("https://api.github.com?x=hunter2", false),
        ("data:hunter2", false),
    ] {
        let mut config = github.config(crate::stand_in::KEY);
        config.api = api.parse().unwrap();
        let app = GitHubApp::new(&config, github.clock.clone());
        assert_eq!(app.is_ok(), is_fine, "{api}");
        assert!(!format!("{app:?}").contains("hunter2"), "{app:?}");
    }
}
