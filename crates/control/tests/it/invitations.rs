//! Invitations: for one addressee, once, and for as long as somebody answers for them.

use chrono::TimeDelta;
use windlass_auth::{InvitationRecord, InvitationState, MintedInvitation, NewInvitation, Role};
use windlass_control::{
    Belonging, Caller, ControlError, Occasion, Registration, accept_invitation, create_invitation,
    get_member, list_invitations, register_by_invitation, remove_member, revoke_invitation,
    set_member_role,
};
use windlass_domain::{OrganizationId, PageRequest, UserId};
use windlass_storage::Store as _;

use crate::{people::PASSWORD, support::Platform};

const GRACE: &str = "grace@example.com";

fn for_as(email: &str, role: Role) -> NewInvitation {
    NewInvitation { email: email.parse().unwrap(), role, life: NewInvitation::LIFE }
}

async fn invite_as(
    platform: &Platform,
    caller: &Caller,
    email: &str,
    role: Role,
) -> Result<MintedInvitation, ControlError> {
    let organization = platform.owner.organization();
    create_invitation(&platform.control, caller, organization, for_as(email, role)).await
}

/// The secret of an invitation of the owner's.
async fn invite(platform: &Platform, email: &str, role: Role) -> String {
    let minted = invite_as(platform, &platform.owner, email, role).await.unwrap();
    minted.secret.expose().to_owned()
}

/// Somebody who has signed in, and whose address this is; the owner's organization is theirs only
/// until it is left, so they have another.
async fn signed_in(platform: &Platform, email: &str) -> Caller {
    let caller = platform.person("Somebody", Role::Admin).await;
    platform.set_email(caller.principal.user_id, email).await;
    let control = &platform.control;
    windlass_control::create_organization(control, &caller, "Elsewhere".parse().unwrap())
        .await
        .unwrap();
    let organization = platform.owner.organization();
    remove_member(control, &caller, organization, caller.principal.user_id).await.unwrap();
    caller
}

fn registration(name: &str) -> Registration {
    Registration { name: name.parse().unwrap(), password: PASSWORD.into() }
}

fn occasion() -> Occasion {
    Occasion { action: "register_by_invitation".into(), request_id: None, address: None }
}

async fn register(platform: &Platform, secret: &str) -> Result<Belonging, ControlError> {
    register_by_invitation(&platform.control, &occasion(), secret, registration("Grace")).await
}

fn is_worthless(outcome: &Result<Belonging, ControlError>) -> bool {
    matches!(outcome, Err(ControlError::Invalid { field: "token", .. }))
}

fn has_code(outcome: &Result<impl Sized, ControlError>, wanted: &str) -> bool {
    match outcome {
        Err(ControlError::Refused { code, .. } | ControlError::Conflict { code, .. }) => {
            *code == wanted
        }
        _ => false,
    }
}

async fn user_with(platform: &Platform, email: &str) -> Option<UserId> {
    let mut uow = platform.store.read().await.unwrap();
    let account = uow.accounts().find_by_email_of_everyone(&email.parse().unwrap()).await.unwrap();
    account.map(|account| account.user.id)
}

async fn all_of(platform: &Platform, id: OrganizationId) -> Vec<InvitationRecord> {
    let all = PageRequest::default();
    list_invitations(&platform.control, &platform.owner, id, all).await.unwrap().items
}

#[tokio::test]
async fn whoever_was_invited_makes_an_account_and_is_in() {
    let platform = Platform::new("invitation_register").await;
    let organization = platform.owner.organization();
    let secret = invite(&platform, GRACE, Role::Member).await;
    let joined = register(&platform, &secret).await.unwrap();
    assert_eq!((joined.organization.id, joined.role), (organization, Role::Member));

    let user = user_with(&platform, GRACE).await.expect("an account");
    let member = get_member(&platform.control, &platform.owner, organization, user).await.unwrap();
    assert_eq!((member.user.name.as_str(), member.role), ("Grace", Role::Member));
    let [invitation] = &all_of(&platform, organization).await[..] else { panic!("one") };
    assert!(matches!(invitation.state, InvitationState::Accepted { by, .. } if by == user));
}

#[tokio::test]
async fn whoever_has_signed_in_with_the_address_is_in() {
    let platform = Platform::new("invitation_accept").await;
    let grace = signed_in(&platform, GRACE).await;
    let secret = invite(&platform, GRACE, Role::Viewer).await;
    let refused = register(&platform, &secret).await;
    assert!(
        matches!(refused, Err(ControlError::WrongPassword)),
        "nobody sets another's password: {refused:?}"
    );

    let joined = accept_invitation(&platform.control, &grace, &secret).await.unwrap();
    assert_eq!(joined.role, Role::Viewer);
    assert!(is_worthless(&accept_invitation(&platform.control, &grace, &secret).await));
}

/// Sentry (getsentry/sentry#19592) and `GrowthBook` (growthbook/growthbook#6343) let in whoever was
/// signed in.
#[tokio::test]
async fn an_invitation_is_accepted_by_its_addressee_alone_and_stays_good_for_them() {
    let platform = Platform::new("invitation_addressee").await;
    let control = &platform.control;
    let grace = signed_in(&platform, "Grace@Example.COM").await;
    let secret = invite(&platform, GRACE, Role::Admin).await;
    for other in ["linus@example.com", "grace@example.org", "grace+x@example.com"] {
        let other = signed_in(&platform, other).await;
        let refused = accept_invitation(control, &other, &secret).await;
        assert!(has_code(&refused, "not_the_addressee"), "{refused:?}");
    }
    let by_key = accept_invitation(control, &platform.owner, &secret).await;
    assert!(matches!(by_key, Err(ControlError::NeedsSession)), "{by_key:?}");
    accept_invitation(control, &grace, &secret).await.unwrap();
}

/// better-auth (better-auth/better-auth#9577) took an address for proof that somebody was invited.
#[tokio::test]
async fn having_the_address_is_not_enough_without_the_invitation() {
    let platform = Platform::new("invitation_guess").await;
    let grace = signed_in(&platform, GRACE).await;
    let minted = invite_as(&platform, &platform.owner, GRACE, Role::Owner).await.unwrap();
    let secret = minted.secret.expose();
    let id = minted.record.id.to_string();
    let (shorter, _) = secret.split_at(secret.len() - 1);
    let blank = format!(" {secret}");
    for guess in ["", "wli_", &id, minted.record.secret.as_str(), shorter, &blank] {
        assert!(is_worthless(&accept_invitation(&platform.control, &grace, guess).await));
        assert!(is_worthless(&register(&platform, guess).await));
    }
}

#[tokio::test]
async fn of_two_who_accept_at_once_one_is_let_in() {
    let platform = Platform::new("invitation_race").await;
    let (one, other) = (platform.another("one"), platform.another("other"));
    for round in 0..5 {
        let email = format!("grace{round}@example.com");
        let secret = invite(&platform, &email, Role::Member).await;
        let asked = occasion();
        let (first, second) = tokio::join!(
            register_by_invitation(&one, &asked, &secret, registration("One")),
            register_by_invitation(&other, &asked, &secret, registration("Other")),
        );
        let (name, refused) = if first.is_ok() { ("One", second) } else { ("Other", first) };
        assert!(is_worthless(&refused), "{refused:?}");
        let user = user_with(&platform, &email).await.unwrap();
        let organization = platform.owner.organization();
        let member = get_member(&one, &platform.owner, organization, user).await.unwrap();
        assert_eq!(member.user.name.as_str(), name);
    }
}

#[tokio::test]
async fn an_invitation_ends_by_itself() {
    let platform = Platform::new("invitation_expired").await;
    let life = TimeDelta::zero();
    let new = NewInvitation { life, ..for_as(GRACE, Role::Member) };
    let organization = platform.owner.organization();
    let minted =
        create_invitation(&platform.control, &platform.owner, organization, new).await.unwrap();
    assert!(is_worthless(&register(&platform, minted.secret.expose()).await));
    assert_eq!(user_with(&platform, GRACE).await, None, "and leaves no account behind");
    // It is in nobody's way either.
    register(&platform, &invite(&platform, GRACE, Role::Member).await).await.unwrap();
}

#[tokio::test]
async fn a_revoked_invitation_lets_nobody_in() {
    let platform = Platform::new("invitation_revoked").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let minted = invite_as(&platform, &platform.owner, GRACE, Role::Member).await.unwrap();
    let id = minted.record.id;
    for _ in 0..2 {
        revoke_invitation(control, &platform.owner, organization, id).await.unwrap();
    }
    assert!(is_worthless(&register(&platform, minted.secret.expose()).await));

    let secret = invite(&platform, GRACE, Role::Member).await;
    register(&platform, &secret).await.unwrap();
    let accepted = all_of(&platform, organization).await[0].id;
    let late = revoke_invitation(control, &platform.owner, organization, accepted).await;
    assert!(has_code(&late, "invitation_accepted"), "{late:?}");
}

/// `RapidPro` (rapidpro/rapidpro#615) sent the same secret again.
#[tokio::test]
async fn inviting_again_takes_the_place_of_the_first_invitation_with_another_secret() {
    let platform = Platform::new("invitation_again").await;
    let first = invite(&platform, GRACE, Role::Admin).await;
    let second = invite(&platform, "GRACE@example.com", Role::Viewer).await;
    assert_ne!(first, second);
    assert!(is_worthless(&register(&platform, &first).await));
    assert_eq!(register(&platform, &second).await.unwrap().role, Role::Viewer);
}

/// Capgo (Cap-go/capgo.app#3281) let an admin rewrite what somebody else had offered.
#[tokio::test]
async fn nobody_offers_or_takes_back_a_role_above_their_own() {
    let platform = Platform::new("invitation_above").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let admin = platform.person("Admin", Role::Admin).await;
    let refused = invite_as(&platform, &admin, GRACE, Role::Owner).await;
    assert!(has_code(&refused, "role_too_high"), "{refused:?}");
    for role in [Role::Viewer, Role::Member] {
        let worker = platform.person("Worker", role).await;
        let refused = invite_as(&platform, &worker, GRACE, Role::Viewer).await;
        assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
    }

    let offered = invite_as(&platform, &platform.owner, GRACE, Role::Owner).await.unwrap();
    let refused = invite_as(&platform, &admin, GRACE, Role::Viewer).await;
    assert!(has_code(&refused, "role_too_high"), "{refused:?}");
    let refused = revoke_invitation(control, &admin, organization, offered.record.id).await;
    assert!(has_code(&refused, "role_too_high"), "{refused:?}");
    assert_eq!(register(&platform, offered.secret.expose()).await.unwrap().role, Role::Owner);
}

#[tokio::test]
async fn an_invitation_is_worth_nothing_once_whoever_made_it_may_not_make_it_any_more() {
    let platform = Platform::new("invitation_inviter").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let second = platform.person("Second owner", Role::Owner).await;
    let user = second.principal.user_id;
    let minted = invite_as(&platform, &second, GRACE, Role::Owner).await.unwrap();
    let secret = minted.secret.expose();
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        set_member_role(control, &platform.owner, organization, user, role).await.unwrap();
        assert!(is_worthless(&register(&platform, secret).await), "{role}");
    }

    let minted = invite_as(&platform, &second, "linus@example.com", Role::Viewer).await.unwrap();
    remove_member(control, &platform.owner, organization, user).await.unwrap();
    assert!(is_worthless(&register(&platform, minted.secret.expose()).await));
    // Nor does it come to life when they are let in again.
    platform.admit(user, Role::Owner).await;
    assert!(is_worthless(&register(&platform, minted.secret.expose()).await));
}

#[tokio::test]
async fn a_removed_member_does_not_come_back_by_an_invitation_that_was_left_over() {
    let platform = Platform::new("invitation_left_over").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    let secret = invite(&platform, GRACE, Role::Admin).await;
    // They came in by another way meanwhile.
    let grace = platform.person("Grace", Role::Member).await;
    let user = grace.principal.user_id;
    platform.set_email(user, GRACE).await;
    let refused = accept_invitation(control, &grace, &secret).await;
    assert!(has_code(&refused, "already_a_member"), "{refused:?}");
    let refused = invite_as(&platform, &platform.owner, GRACE, Role::Admin).await;
    assert!(has_code(&refused, "already_a_member"), "{refused:?}");

    remove_member(control, &platform.owner, organization, user).await.unwrap();
    assert!(is_worthless(&accept_invitation(control, &grace, &secret).await));
}

/// Blocks (SELISEdigitalplatforms/blocks-os#352) handed an account to whoever had the link.
#[tokio::test]
async fn whoever_was_removed_comes_back_with_the_password_of_their_account_and_no_other() {
    let platform = Platform::new("invitation_back").await;
    let control = &platform.control;
    let organization = platform.owner.organization();
    register(&platform, &invite(&platform, GRACE, Role::Admin).await).await.unwrap();
    let user = user_with(&platform, GRACE).await.unwrap();
    remove_member(control, &platform.owner, organization, user).await.unwrap();

    let secret = invite(&platform, GRACE, Role::Viewer).await;
    let other = Registration { password: "another password".into(), ..registration("Mallory") };
    let refused = register_by_invitation(control, &occasion(), &secret, other).await;
    assert!(matches!(refused, Err(ControlError::WrongPassword)), "{refused:?}");
    assert_eq!(register(&platform, &secret).await.unwrap().role, Role::Viewer);
    let member = get_member(control, &platform.owner, organization, user).await.unwrap();
    assert_eq!(member.user.name.as_str(), "Grace");
}

#[tokio::test]
async fn another_tenants_invitations_are_not_there() {
    let platform = Platform::new("invitation_tenants").await;
    let control = &platform.control;
    let ours = platform.owner.organization();
    let minted = invite_as(&platform, &platform.owner, GRACE, Role::Member).await.unwrap();
    let stranger = signed_in(&platform, "linus@example.com").await;
    let all = PageRequest::default();
    let listed = list_invitations(control, &stranger, ours, all).await;
    assert!(matches!(listed, Err(ControlError::NotFound("organization"))), "{listed:?}");
    let revoked = revoke_invitation(control, &stranger, ours, minted.record.id).await;
    assert!(matches!(revoked, Err(ControlError::NotFound("organization"))), "{revoked:?}");

    let own = windlass_control::list_organizations(control, &stranger, PageRequest::default());
    let theirs = own.await.unwrap().items[0].organization.id;
    let revoked = revoke_invitation(control, &stranger, theirs, minted.record.id).await;
    assert!(matches!(revoked, Err(ControlError::NotFound("invitation"))), "{revoked:?}");
    assert_eq!(register(&platform, minted.secret.expose()).await.unwrap().organization.id, ours);
}
