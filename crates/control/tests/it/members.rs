//! Who is in and who is not any more: at once, everywhere, and for good.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use windlass_auth::{NewToken, Permission, PermissionSet, Role, Scope, TokenPurpose};
use windlass_control::{
    Caller, Control, ControlError, Presentation, create_api_key, create_token, get_member,
    list_members, remove_member, rotate_api_key, set_member_role,
};
use windlass_domain::PageRequest;
use windlass_storage::Store as _;

use crate::{
    keys::key,
    support::{Keys, Platform},
};

/// How long a change may take to reach another server that hears of it.
const AT_ONCE: Duration = Duration::from_secs(1);

fn token() -> NewToken {
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

/// A key and a token of somebody.
async fn credentials(control: &Control, caller: &Caller) -> [String; 2] {
    let key = create_api_key(control, caller, key(&[Scope::Admin])).await.unwrap();
    let token = create_token(control, caller, token()).await.unwrap();
    [key.key.expose().to_owned(), token.token.expose().to_owned()]
}

/// What a credential may do; nothing where it is refused.
async fn permissions(control: &Control, text: &str) -> Option<PermissionSet> {
    match control.authenticate(Presentation::bearer(text)).await {
        Ok(principal) => Some(principal.permissions),
        Err(ControlError::InvalidCredential(_)) => None,
        Err(err) => panic!("{err:?}"),
    }
}

/// Waits until a server that hears of it knows what a credential may do.
async fn becomes(control: &Control, text: &str, expected: Option<PermissionSet>) {
    let begun = Instant::now();
    while permissions(control, text).await != expected {
        assert!(begun.elapsed() < AT_ONCE, "it is not {expected:?} yet");
        sleep(Duration::from_millis(1)).await;
    }
}

fn has_code(outcome: &Result<impl Sized, ControlError>, wanted: &str) -> bool {
    match outcome {
        Err(ControlError::Refused { code, .. } | ControlError::Conflict { code, .. }) => {
            *code == wanted
        }
        _ => false,
    }
}

#[tokio::test]
async fn a_removed_members_keys_and_tokens_die_at_once_on_every_server() {
    let platform = Platform::new("member_removed").await;
    let organization = platform.owner.organization();
    let (one, first) = platform.replica("one", Keys::default()).await;
    let (other, second) = platform.replica("other", Keys::default()).await;
    for _ in 0..10 {
        let grace = platform.person("Grace", Role::Admin).await;
        let texts = credentials(&platform.control, &grace).await;
        for text in &texts {
            for server in [&one, &other] {
                assert!(permissions(server, text).await.is_some());
            }
        }
        let user = grace.principal.user_id;
        remove_member(&one, &platform.owner, organization, user).await.unwrap();
        for text in &texts {
            assert_eq!(permissions(&one, text).await, None, "here at once");
            becomes(&other, text, None).await;
        }
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_demoted_members_keys_and_tokens_shrink_at_once_on_every_server() {
    let platform = Platform::new("member_demoted").await;
    let organization = platform.owner.organization();
    let (one, first) = platform.replica("one", Keys::default()).await;
    let (other, second) = platform.replica("other", Keys::default()).await;
    let grace = platform.person("Grace", Role::Owner).await;
    let texts = credentials(&platform.control, &grace).await;
    let user = grace.principal.user_id;
    for role in [Role::Admin, Role::Member, Role::Viewer, Role::Owner] {
        let changed = set_member_role(&one, &platform.owner, organization, user, role).await;
        assert_eq!(changed.unwrap().role, role);
        for text in &texts {
            assert_eq!(permissions(&one, text).await, Some(role.permissions()), "here at once");
            becomes(&other, text, Some(role.permissions())).await;
        }
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_member_who_is_let_in_again_finds_their_old_keys_and_tokens_dead() {
    let platform = Platform::new("member_readded").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let grace = platform.person("Grace", Role::Admin).await;
    let user = grace.principal.user_id;
    let old = credentials(control, &grace).await;
    remove_member(control, &platform.owner, organization, user).await.unwrap();
    platform.admit(user, Role::Owner).await;
    for text in &old {
        assert_eq!(permissions(control, text).await, None);
    }
    for text in credentials(control, &grace).await {
        assert!(permissions(control, &text).await.is_some(), "new ones work");
    }
}

#[tokio::test]
async fn nobody_makes_keys_or_tokens_with_a_request_that_began_before_they_were_removed() {
    let platform = Platform::new("member_in_flight").await;
    let control = &platform.control;
    let grace = platform.person("Grace", Role::Admin).await;
    let made = create_api_key(control, &grace, key(&[Scope::Read])).await.unwrap();
    let user = grace.principal.user_id;
    remove_member(control, &platform.owner, platform.owner.organization(), user).await.unwrap();

    let refused = create_api_key(control, &grace, key(&[Scope::Read])).await;
    assert!(matches!(refused, Err(ControlError::InvalidCredential(_))), "{refused:?}");
    let refused = create_token(control, &grace, token()).await;
    assert!(matches!(refused, Err(ControlError::InvalidCredential(_))), "{refused:?}");
    let overlap = chrono::TimeDelta::zero();
    let refused = rotate_api_key(control, &grace, made.record.id, overlap).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let platform = Platform::new("member_last_owner").await;
    let (one, other) = (platform.another("one"), platform.another("other"));
    let organization = platform.owner.organization();
    let (ada, grace) =
        (platform.person("Ada", Role::Owner).await, platform.person("Grace", Role::Owner).await);
    let installed = platform.owner.principal.user_id;
    remove_member(&one, &platform.owner, organization, installed).await.unwrap();
    for _ in 0..10 {
        let (first, second) = tokio::join!(
            remove_member(&one, &ada, organization, ada.principal.user_id),
            remove_member(&other, &grace, organization, grace.principal.user_id),
        );
        let (gone, stays) = if first.is_ok() { (&ada, second) } else { (&grace, first) };
        assert!(has_code(&stays, "last_owner"), "{stays:?}");
        platform.admit(gone.principal.user_id, Role::Owner).await;
    }
}

#[tokio::test]
async fn of_two_owners_who_make_each_other_less_at_once_one_stays() {
    let platform = Platform::new("member_last_owner_demoted").await;
    let (one, other) = (platform.another("one"), platform.another("other"));
    let organization = platform.owner.organization();
    let (ada, grace) = (&platform.owner, platform.person("Grace", Role::Owner).await);
    let (first, second) = tokio::join!(
        set_member_role(&one, ada, organization, grace.principal.user_id, Role::Viewer),
        set_member_role(&other, &grace, organization, ada.principal.user_id, Role::Viewer),
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let mut uow = platform.store.read().await.unwrap();
    assert_eq!(uow.members().count_owners(organization).await.unwrap(), 1);
}

#[tokio::test]
async fn an_admin_neither_touches_an_owner_nor_makes_one() {
    let platform = Platform::new("member_admin").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let admin = platform.person("Grace", Role::Admin).await;
    let owner = platform.owner.principal.user_id;
    platform.person("Second owner", Role::Owner).await;
    let member = platform.person("Linus", Role::Member).await.principal.user_id;

    for role in Role::ALL {
        let refused = set_member_role(control, &admin, organization, owner, role).await;
        assert!(has_code(&refused, "role_too_high"), "{refused:?}");
    }
    let refused = remove_member(control, &admin, organization, owner).await;
    assert!(has_code(&refused, "role_too_high"), "{refused:?}");
    for user in [member, admin.principal.user_id] {
        let refused = set_member_role(control, &admin, organization, user, Role::Owner).await;
        assert!(has_code(&refused, "role_too_high"), "{refused:?}");
    }
    set_member_role(control, &admin, organization, member, Role::Admin).await.unwrap();
    remove_member(control, &admin, organization, member).await.unwrap();
}

#[tokio::test]
async fn somebody_who_was_made_less_meanwhile_acts_as_what_they_are_now() {
    let platform = Platform::new("member_stale").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let grace = platform.person("Grace", Role::Owner).await;
    let user = grace.principal.user_id;
    set_member_role(control, &platform.owner, organization, user, Role::Member).await.unwrap();

    let refused = set_member_role(control, &grace, organization, user, Role::Owner).await;
    let permission = Permission::MembersWrite;
    assert!(
        matches!(refused, Err(ControlError::Forbidden(lacking)) if lacking == permission),
        "{refused:?}"
    );
}

#[tokio::test]
async fn whoever_has_signed_in_may_leave_whatever_they_are() {
    let platform = Platform::new("member_leaves").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    for role in [Role::Viewer, Role::Member, Role::Admin, Role::Owner] {
        let person = platform.person("Grace", role).await;
        let user = person.principal.user_id;
        remove_member(control, &person, organization, user).await.unwrap();
        let gone = get_member(control, &platform.owner, organization, user).await;
        assert!(matches!(gone, Err(ControlError::NotFound("member"))), "{gone:?}");
        let away = list_members(control, &person, organization, PageRequest::default()).await;
        assert!(matches!(away, Err(ControlError::NotFound("organization"))), "{away:?}");
    }
}

#[tokio::test]
async fn an_organization_is_handed_on_by_making_somebody_else_an_owner() {
    let platform = Platform::new("member_hand_on").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let ada = platform.person("Ada", Role::Owner).await;
    let installed = platform.owner.principal.user_id;
    remove_member(control, &ada, organization, installed).await.unwrap();
    let own = ada.principal.user_id;
    let alone = remove_member(control, &ada, organization, own).await;
    assert!(has_code(&alone, "last_owner"), "{alone:?}");

    let grace = platform.person("Grace", Role::Viewer).await;
    let heir = grace.principal.user_id;
    set_member_role(control, &ada, organization, heir, Role::Owner).await.unwrap();
    remove_member(control, &ada, organization, own).await.unwrap();
    let left = get_member(control, &grace, organization, heir).await.unwrap();
    assert_eq!(left.role, Role::Owner);
}
