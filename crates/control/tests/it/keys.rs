//! API keys never do more than their makers, and end at once.

use windlass_auth::{Credential, NewApiKey, Permission, Role, Scope};
use windlass_control::{
    Caller, ControlError, CreateProject, Presentation, create_api_key, create_project, end_session,
    get_project, list_projects, revoke_api_key,
};
use windlass_domain::{PageRequest, ProjectSettings};

use crate::support::{Platform, main, occasion};

pub(crate) fn key(scopes: &[Scope]) -> NewApiKey {
    NewApiKey {
        name: "ci".parse().unwrap(),
        scopes: scopes.to_vec(),
        project_ids: None,
        allowed_addresses: None,
        expires_at: None,
    }
}

async fn caller(platform: &Platform, new: NewApiKey) -> Caller {
    let minted = create_api_key(&platform.control, &platform.owner, new).await.unwrap();
    let principal =
        platform.control.authenticate(Presentation::bearer(minted.key.expose())).await.unwrap();
    platform.control.caller(principal, occasion())
}

#[tokio::test]
async fn a_key_does_not_mint_a_broader_one() {
    let platform = Platform::new("broader").await;
    let maker = Scope::Permission(Permission::ApiKeysWrite);
    let caller = caller(&platform, key(&[maker])).await;
    let refused = create_api_key(&platform.control, &caller, key(&[Scope::Admin])).await;
    assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
    create_api_key(&platform.control, &caller, key(&[maker])).await.unwrap();
}

#[tokio::test]
async fn a_key_without_scopes_opens_nothing() {
    let platform = Platform::new("no_scopes").await;
    let caller = caller(&platform, key(&[])).await;
    let refused = list_projects(&platform.control, &caller, PageRequest::default()).await;
    assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
}

#[tokio::test]
async fn a_key_bound_to_a_project_sees_no_other() {
    let platform = Platform::new("bound").await;
    let (mine, theirs) = (platform.project("Mine").await, platform.project("Theirs").await);
    let new = NewApiKey { project_ids: Some(vec![mine.id]), ..key(&[Scope::Admin]) };
    let caller = caller(&platform, new).await;
    get_project(&platform.control, &caller, mine.id).await.unwrap();
    let hidden = get_project(&platform.control, &caller, theirs.id).await;
    assert!(matches!(hidden, Err(ControlError::NotFound("project"))), "{hidden:?}");
    let listed = list_projects(&platform.control, &caller, PageRequest::default()).await.unwrap();
    assert_eq!(listed.items.iter().map(|it| it.id).collect::<Vec<_>>(), [mine.id]);
    let new = CreateProject {
        name: "More".parse().unwrap(),
        git_url: "https://git.example.com/more.git".parse().unwrap(),
        github_repo: None,
        default_branch: main(),
        settings: ProjectSettings::default(),
    };
    let refused = create_project(&platform.control, &caller, new).await;
    assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
}

#[tokio::test]
async fn a_revoked_key_is_refused_although_it_was_verified_before() {
    let platform = Platform::new("revoked").await;
    let minted = create_api_key(&platform.control, &platform.owner, key(&[Scope::Read])).await;
    let minted = minted.unwrap();
    platform.control.authenticate(Presentation::bearer(minted.key.expose())).await.unwrap();
    revoke_api_key(&platform.control, &platform.owner, minted.record.id).await.unwrap();
    let refused = platform.control.authenticate(Presentation::bearer(minted.key.expose())).await;
    assert!(matches!(refused, Err(ControlError::InvalidCredential(_))), "{refused:?}");
}

#[tokio::test]
async fn a_credential_that_has_just_ended_makes_no_other() {
    let platform = Platform::new("ended_makers").await;
    let maker = Scope::Permission(Permission::ApiKeysWrite);
    let by_key = caller(&platform, key(&[maker])).await;
    let in_browser = platform.person("Eve", Role::Owner).await;
    let make = async |caller: &Caller| {
        create_api_key(&platform.control, caller, key(&[maker])).await.map(drop)
    };
    for caller in [&by_key, &in_browser] {
        make(caller).await.unwrap();
    }
    // The requests were let in before.
    let Credential::ApiKey { id, .. } = by_key.principal.credential else { panic!("a key") };
    revoke_api_key(&platform.control, &platform.owner, id).await.unwrap();
    let session = in_browser.principal.credential.session_id().unwrap();
    end_session(&platform.control, &in_browser, session).await.unwrap();
    for caller in [&by_key, &in_browser] {
        let refused = make(caller).await;
        assert!(matches!(refused, Err(ControlError::InvalidCredential(_))), "{refused:?}");
    }
}
