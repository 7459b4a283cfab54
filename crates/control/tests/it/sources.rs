//! Private repositories: who fetches them with what.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use windlass_auth::{Principal, Role};
use windlass_control::{
    Caller, CreateProject, SourceHostError, create_environment, create_organization,
    create_project, get_deployment, wait_for_deployment,
};
use windlass_domain::{Deployment, DeploymentState, GitUrl, ProjectSettings};
use windlass_engine::fake::{Fault, Operation};

use crate::{
    source_host::{FakeHost, TOKEN},
    support::{Platform, main, new_project, occasion},
};

fn url(account: &str) -> GitUrl {
    format!("https://github.com/{account}/shop.git").parse().unwrap()
}

/// Deploys a repository for somebody.
async fn deploy(platform: &Platform, caller: &Caller, source: &GitUrl) -> Deployment {
    let control = &platform.control;
    let commit = "a".repeat(40).parse().unwrap();
    platform.engine.push(source, &main(), &commit);
    let new = CreateProject {
        git_url: source.clone(),
        ..new_project("Shop", ProjectSettings::default())
    };
    let project = create_project(control, caller, new).await.unwrap();
    let made = create_environment(control, caller, project.id, main()).await.unwrap();
    let id = made.latest_deployment.unwrap().id;
    let patience = std::time::Duration::from_secs(30);
    wait_for_deployment(control, caller, id, patience).await.unwrap();
    get_deployment(control, caller, id).await.unwrap()
}

/// As whom a deployment's source was asked for, each time.
fn credentials(platform: &Platform, source: &GitUrl, deployment: &Deployment) -> [bool; 2] {
    let looked = platform.engine.asked_as(source).pop().unwrap();
    let built = platform.engine.build_request(deployment.build_id).unwrap().credential;
    [looked, built].map(|credential| {
        credential.is_some_and(|credential| credential.password.expose_secret() == TOKEN)
    })
}

/// Somebody with an organization of their own.
async fn stranger(platform: &Platform) -> Caller {
    let grace = platform.person("Grace", Role::Owner).await;
    let name = "Theirs".parse().unwrap();
    let theirs = create_organization(&platform.control, &grace, name).await.unwrap();
    let principal = Principal {
        organization_id: theirs.organization.id,
        role: Role::Owner,
        permissions: Role::Owner.permissions(),
        ..(*grace.principal).clone()
    };
    platform.control.caller(Arc::new(principal), occasion())
}

#[tokio::test]
async fn a_private_repository_is_fetched_with_a_credential() {
    let host = Arc::new(FakeHost::default());
    let platform = Platform::with_sources("sources_private", host.hosting(&[])).await;
    let _server = platform.serve("one");
    let source = url("octo");
    let deployment = deploy(&platform, &platform.owner, &source).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(credentials(&platform, &source, &deployment), [true, true]);
}

#[tokio::test]
async fn another_organization_gets_none_by_naming_the_repository() {
    let host = Arc::new(FakeHost::default());
    let platform = Platform::with_sources("sources_stranger", host.hosting(&[])).await;
    let _server = platform.serve("one");
    let theirs = stranger(&platform).await;
    let source = url("octo");
    let deployment = deploy(&platform, &theirs, &source).await;
    // The repository is open, so git gives it to everybody.
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(credentials(&platform, &source, &deployment), [false, false]);
    assert_eq!(host.asked(), [""; 0]);

    platform.engine.fail_next(Operation::Resolve, Fault::Refused, 1);
    let closed = deploy(&platform, &theirs, &url("other")).await;
    let DeploymentState::Failed { reason, .. } = &closed.state else { panic!("{closed:?}") };
    assert!(reason.contains("may not use the server's GitHub App"), "{reason}");
}

#[tokio::test]
async fn an_account_is_for_the_organizations_that_the_operator_names() {
    let host = Arc::new(FakeHost::default());
    let mut platform = Platform::with_sources("sources_accounts", host.hosting(&[])).await;
    let theirs = stranger(&platform).await;
    let ours = platform.owner.organization();
    platform.set_sources(host.hosting(&[("Octo", theirs.organization()), ("acme", ours)]));
    let _server = platform.serve("one");
    for (caller, account, wanted) in [
        (&theirs, "OCTO", true),
        (&theirs, "acme", false),
        (&platform.owner, "octo", false),
        (&platform.owner, "acme", true),
        (&platform.owner, "nobody", false),
    ] {
        let source = url(account);
        let deployment = deploy(&platform, caller, &source).await;
        assert_eq!(credentials(&platform, &source, &deployment), [wanted; 2], "{account}");
    }
}

#[tokio::test]
async fn where_the_app_is_not_installed_git_decides_and_the_people_are_told() {
    let host = Arc::new(FakeHost::default());
    let platform = Platform::with_sources("sources_not_installed", host.hosting(&[])).await;
    let _server = platform.serve("one");
    let refused = || SourceHostError::Refused("install it at https://x.example".to_owned());
    host.fail_next(refused());
    host.fail_next(refused());
    let source = url("octo");
    let deployment = deploy(&platform, &platform.owner, &source).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(credentials(&platform, &source, &deployment), [false, false]);

    host.fail_next(refused());
    platform.engine.fail_next(Operation::Resolve, Fault::Refused, 1);
    let closed = deploy(&platform, &platform.owner, &url("other")).await;
    let DeploymentState::Failed { reason, .. } = &closed.state else { panic!("{closed:?}") };
    assert_eq!(reason, "the test refuses it (install it at https://x.example)");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_asked_again() {
    let host = Arc::new(FakeHost::default());
    let platform = Platform::with_sources("sources_unavailable", host.hosting(&[])).await;
    let _server = platform.serve("one");
    let message = "it does not answer".to_owned();
    host.fail_next(SourceHostError::Unavailable { message, retry_at: None });
    let source = url("octo");
    let deployment = deploy(&platform, &platform.owner, &source).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(credentials(&platform, &source, &deployment), [true, true]);
}
