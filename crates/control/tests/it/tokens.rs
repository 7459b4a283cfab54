//! Tokens never do more than their makers, and end at once: everywhere.

use std::sync::Arc;

use chrono::TimeDelta;
use windlass_auth::{
    CredentialKind, Membership, Narrowing, NewApiKey, NewToken, Permission, Role, Scope,
    TokenPurpose, attenuate, inspect,
};
use windlass_control::{
    Caller, ControlError, CreateLink, LinkedLog, OldKeys, Presentation, PresentedCredential,
    create_api_key, create_link, create_token, get_project, list_tokens, open_deployment_log,
    open_environment_log, revoke_api_key, revoke_presented_token, revoke_token, whoami,
};
use windlass_domain::{OsEntropy, PageRequest, User};
use windlass_storage::Store as _;

use crate::support::{FX, Platform, Server, occasion};

pub(crate) fn everything() -> NewToken {
    NewToken {
        label: "all".parse().unwrap(),
        permissions: None,
        is_read_only: false,
        project_ids: None,
        allowed_addresses: None,
        expires_at: None,
        purpose: TokenPurpose::Delegation,
    }
}

async fn token(platform: &Platform) -> String {
    let created = create_token(&platform.control, &platform.owner, everything()).await.unwrap();
    created.token.expose().to_owned()
}

fn narrow(token: &str, narrowing: &Narrowing) -> String {
    attenuate(token, narrowing, &OsEntropy).unwrap().expose().to_owned()
}

fn read_only() -> Narrowing {
    Narrowing { is_read_only: true, ..Narrowing::default() }
}

async fn bearer(platform: &Platform, text: &str) -> Result<Caller, ControlError> {
    let principal = platform.control.authenticate(Presentation::bearer(text)).await?;
    Ok(platform.control.caller(principal, occasion()))
}

async fn link(platform: &Platform, text: &str) -> Result<Caller, ControlError> {
    let credential = PresentedCredential::Link(text);
    let shown = Presentation { credential, organization: None, address: None };
    let principal = platform.control.authenticate(shown).await?;
    Ok(platform.control.caller(principal, occasion()))
}

fn is_refused(outcome: &Result<Caller, ControlError>) -> bool {
    matches!(outcome, Err(ControlError::InvalidCredential(CredentialKind::Token)))
}

/// Somebody else in the owner's organization, as a caller.
async fn colleague(platform: &Platform, role: Role) -> Caller {
    let organization_id = platform.owner.organization();
    let user = User::create("Grace".parse().unwrap(), FX);
    let membership = Membership { organization_id, user_id: user.id, role };
    let mut uow = platform.store.write().await.unwrap();
    uow.organizations().insert_user(&user).await.unwrap();
    uow.organizations().insert_membership(&membership).await.unwrap();
    uow.commit().await.unwrap();
    let mut principal = (*platform.owner.principal).clone();
    (principal.user_id, principal.role, principal.permissions) =
        (user.id, role, role.permissions());
    platform.control.caller(Arc::new(principal), occasion())
}

#[tokio::test]
async fn a_token_opens_what_its_creator_may() {
    let platform = Platform::new("token_opens").await;
    let project = platform.project("Shop").await;
    let caller = bearer(&platform, &token(&platform).await).await.unwrap();
    get_project(&platform.control, &caller, project.id).await.unwrap();
    let who = whoami(&platform.control, &caller).await.unwrap();
    assert_eq!(who.user.id, platform.owner.principal.user_id);

    let refused = create_token(&platform.control, &caller, everything()).await;
    assert!(matches!(refused, Err(ControlError::Conflict { .. })), "narrow it: {refused:?}");
}

#[tokio::test]
async fn a_revoked_token_takes_what_was_made_of_it_along() {
    let platform = Platform::new("token_revoked").await;
    let created = create_token(&platform.control, &platform.owner, everything()).await.unwrap();
    let parent = created.token.expose();
    let child = narrow(parent, &read_only());
    for text in [parent, &child] {
        bearer(&platform, text).await.unwrap();
    }
    revoke_token(&platform.control, &platform.owner, created.record.id).await.unwrap();
    for text in [parent, &child] {
        assert!(is_refused(&bearer(&platform, text).await));
    }
    revoke_token(&platform.control, &platform.owner, created.record.id).await.unwrap();
}

#[tokio::test]
async fn a_narrowed_token_is_revoked_by_whoever_holds_it_and_its_parent_goes_on() {
    let platform = Platform::new("token_revoked_narrow").await;
    let parent = token(&platform).await;
    let child = narrow(&parent, &read_only());
    let grandchild = narrow(&child, &read_only());
    let sibling = narrow(&parent, &read_only());
    for text in [&parent, &child, &grandchild, &sibling] {
        bearer(&platform, text).await.unwrap();
    }
    revoke_presented_token(&platform.control, &platform.owner, &child).await.unwrap();
    for (text, ended) in [(&parent, false), (&child, true), (&grandchild, true), (&sibling, false)]
    {
        assert_eq!(is_refused(&bearer(&platform, text).await), ended);
    }

    let again = revoke_presented_token(&platform.control, &platform.owner, &child).await;
    assert!(matches!(again, Err(ControlError::Invalid { field: "token", .. })), "{again:?}");
    revoke_presented_token(&platform.control, &platform.owner, &parent).await.unwrap();
    assert!(is_refused(&bearer(&platform, &sibling).await));
}

#[tokio::test]
async fn another_persons_token_is_for_those_who_decide_who_gets_in() {
    let platform = Platform::new("token_of_others").await;
    let theirs = create_token(&platform.control, &platform.owner, everything()).await.unwrap();
    let id = theirs.record.id;

    let member = colleague(&platform, Role::Member).await;
    let own = create_token(&platform.control, &member, everything()).await.unwrap();
    revoke_token(&platform.control, &member, own.record.id).await.unwrap();
    let refused = revoke_token(&platform.control, &member, id).await;
    let lacking = Permission::MembersWrite;
    assert!(matches!(refused, Err(ControlError::Forbidden(found)) if found == lacking));

    let admin = colleague(&platform, Role::Admin).await;
    revoke_token(&platform.control, &admin, id).await.unwrap();
    let listed = list_tokens(&platform.control, &member, PageRequest::default()).await.unwrap();
    assert!(listed.items.iter().all(|token| token.revoked_at.is_some()));
}

#[tokio::test]
async fn a_rotated_root_key_signs_and_the_old_one_verifies_until_it_is_dropped() {
    let platform = Platform::new("root_key_rotation").await;
    let old = token(&platform).await;
    let server = Server::start(platform.control.clone());

    assert_eq!(platform.rotate_root_key(OldKeys::Verify).await, 2);
    let new = platform
        .until("the server signs with the new key", || async {
            let text = token(&platform).await;
            (inspect(&text).unwrap().root_key == Some(2)).then_some(text)
        })
        .await;
    for text in [&old, &new] {
        bearer(&platform, text).await.unwrap();
    }

    assert_eq!(platform.rotate_root_key(OldKeys::Drop).await, 3);
    for text in [&old, &new] {
        let is_gone = async || is_refused(&bearer(&platform, text).await).then_some(());
        platform.until("what the old keys have signed is refused", is_gone).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn servers_on_one_database_share_root_keys_and_revocations() {
    let platform = Platform::new("root_key_shared").await;
    let other = platform.another("other");
    let server = Server::start(other.clone());
    for _ in 0..5 {
        // A key that the other server has never seen.
        platform.rotate_root_key(OldKeys::Verify).await;
        let created = create_token(&platform.control, &platform.owner, everything()).await;
        let created = created.unwrap();
        let shown = Presentation::bearer(created.token.expose());
        other.authenticate(shown).await.unwrap();

        revoke_token(&platform.control, &platform.owner, created.record.id).await.unwrap();
        let is_refused = async || other.authenticate(shown).await.is_err().then_some(());
        platform.until("the other server refuses it", is_refused).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn two_servers_that_need_the_first_root_key_together_make_one() {
    let platform = Platform::new("root_key_first").await;
    let other = platform.another("other");
    let (one, two) = tokio::join!(
        create_token(&platform.control, &platform.owner, everything()),
        create_token(&other, &platform.owner, everything()),
    );
    for created in [one.unwrap(), two.unwrap()] {
        assert_eq!(inspect(created.token.expose()).unwrap().root_key, Some(1));
        bearer(&platform, created.token.expose()).await.unwrap();
    }
}

#[tokio::test]
async fn a_link_opens_one_log_and_nothing_else() {
    let platform = Platform::new("link_one").await;
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let other = platform.rebuild(environment.id).await;
    let life = TimeDelta::hours(1);

    let of_build = CreateLink { log: LinkedLog::Deployment(deployment.id), life };
    let of_build = create_link(&platform.control, &platform.owner, of_build, None).await.unwrap();
    let of_apps = CreateLink { log: LinkedLog::Environment(environment.id), life };
    let of_apps = create_link(&platform.control, &platform.owner, of_apps, None).await.unwrap();

    for (text, opens) in
        [(&of_build.token, [true, false, false]), (&of_apps.token, [false, false, true])]
    {
        let reader = link(&platform, text.expose()).await.unwrap();
        let opened = [
            open_deployment_log(&platform.control, &reader, deployment.id).await.is_ok(),
            open_deployment_log(&platform.control, &reader, other.id).await.is_ok(),
            open_environment_log(&platform.control, &reader, environment.id).await.is_ok(),
        ];
        assert_eq!(opened, opens);
        let hidden = get_project(&platform.control, &reader, project.id).await;
        assert!(matches!(hidden, Err(ControlError::Forbidden(_) | ControlError::NotFound(_))));
        assert!(is_refused(&bearer(&platform, text.expose()).await), "it is no credential");
    }
}

#[tokio::test]
async fn a_link_ends_with_the_key_that_made_it() {
    let platform = Platform::new("link_key").await;
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let key = NewApiKey {
        name: "ci".parse().unwrap(),
        scopes: vec![Scope::Permission(Permission::LogsRead)],
        project_ids: Some(vec![project.id]),
        allowed_addresses: None,
        expires_at: None,
    };
    let key = create_api_key(&platform.control, &platform.owner, key).await.unwrap();
    let caller = bearer(&platform, key.key.expose()).await.unwrap();
    let wanted = CreateLink { log: LinkedLog::Deployment(deployment.id), life: TimeDelta::days(1) };
    let made = create_link(&platform.control, &caller, wanted, None).await.unwrap();
    let reader = link(&platform, made.token.expose()).await.unwrap();
    open_deployment_log(&platform.control, &reader, deployment.id).await.unwrap();

    revoke_api_key(&platform.control, &platform.owner, key.record.id).await.unwrap();
    assert!(is_refused(&link(&platform, made.token.expose()).await));
}

#[tokio::test]
async fn a_link_that_a_token_makes_is_a_narrower_token() {
    let platform = Platform::new("link_token").await;
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let parent = token(&platform).await;
    let caller = bearer(&platform, &parent).await.unwrap();
    let wanted = CreateLink { log: LinkedLog::Deployment(deployment.id), life: TimeDelta::days(1) };
    let made = create_link(&platform.control, &caller, wanted, Some(&parent)).await.unwrap();
    let text = made.token.expose();
    assert_eq!(inspect(text).unwrap().blocks.len(), 2);
    let reader = link(&platform, text).await.unwrap();
    open_deployment_log(&platform.control, &reader, deployment.id).await.unwrap();
    assert!(is_refused(&bearer(&platform, text).await), "it is no credential");

    let revoked = caller.principal.credential.token_id().unwrap();
    revoke_token(&platform.control, &platform.owner, revoked).await.unwrap();
    assert!(is_refused(&link(&platform, text).await));
}

#[tokio::test]
async fn whoever_cannot_read_a_log_cannot_share_it() {
    let platform = Platform::new("link_refused").await;
    let (ours, theirs) = (platform.project("Ours").await, platform.project("Theirs").await);
    let (_, deployment) = platform.environment(&theirs).await;
    let wanted =
        CreateLink { log: LinkedLog::Deployment(deployment.id), life: TimeDelta::hours(1) };
    let narrowing = Narrowing { projects: Some(vec![ours.id]), ..Narrowing::default() };
    let text = narrow(&token(&platform).await, &narrowing);
    let caller = bearer(&platform, &text).await.unwrap();
    let refused = create_link(&platform.control, &caller, wanted, Some(&text)).await;
    assert!(matches!(refused, Err(ControlError::NotFound(_))), "{refused:?}");
}
