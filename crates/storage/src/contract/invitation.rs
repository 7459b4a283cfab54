//! Promises about invitations.

use windlass_auth::{InvitationRecord, InvitationState, OneTimeHash};
use windlass_domain::PageRequest;

use super::world::{World, after_commit_of};
use crate::{Store, StoreError, UnitOfWork};

async fn insert(world: &World<'_>, invitation: &InvitationRecord) {
    let mut uow = world.write().await;
    uow.invitations().insert(invitation).await.unwrap();
    uow.commit().await.unwrap();
}

async fn find(world: &World<'_>, invitation: &InvitationRecord) -> Option<InvitationRecord> {
    let InvitationRecord { id, organization_id, .. } = invitation;
    world.read().await.invitations().find(*organization_id, *id).await.unwrap()
}

pub async fn an_invitation_survives_storage_in_every_state(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let at = world.tick();
    for state in [
        InvitationState::Pending,
        InvitationState::Accepted { by: user.id, at },
        InvitationState::Revoked { at },
    ] {
        let waiting = world.new_invitation(&organization, &user, "grace@example.com");
        let invitation = InvitationRecord { state, ..waiting.clone() };
        insert(&world, &invitation).await;
        assert_eq!(find(&world, &invitation).await.as_ref(), Some(&invitation));
        let mut uow = world.write().await;
        let found = uow.invitations().find_by_secret_of_everyone(&invitation.secret).await;
        assert_eq!(found.unwrap().as_ref(), Some(&invitation));
        let unknown = OneTimeHash::of("wli_unknown");
        let found = uow.invitations().find_by_secret_of_everyone(&unknown).await;
        assert_eq!(found.unwrap(), None);

        let revoked = InvitationRecord { state: InvitationState::Revoked { at }, ..waiting };
        uow.invitations().update(&revoked).await.unwrap();
        uow.commit().await.unwrap();
        assert_eq!(find(&world, &invitation).await, Some(revoked));
    }
}

pub async fn another_organization_never_finds_an_invitation(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let user = world.owner(&ours).await;
    let invitation = world.new_invitation(&ours, &user, "grace@example.com");
    insert(&world, &invitation).await;

    let mut uow = world.read().await;
    let InvitationRecord { id, email, .. } = &invitation;
    assert_eq!(uow.invitations().find(theirs.id, *id).await.unwrap(), None);
    assert_eq!(uow.invitations().find_pending(theirs.id, email).await.unwrap(), None);
    let found = uow.invitations().find_pending(ours.id, email).await.unwrap();
    assert_eq!(found.as_ref(), Some(&invitation));
    let page = uow.invitations().list(theirs.id, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn pages_of_invitations_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let mut newest_first = Vec::new();
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        let invitation = world.new_invitation(&organization, &user, email);
        insert(&world, &invitation).await;
        newest_first.insert(0, invitation);
        world.tick();
    }

    let mut uow = world.read().await;
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.invitations().list(organization.id, first).await.unwrap();
    assert!(first.items == newest_first[..2] && first.has_next);
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = uow.invitations().list(organization.id, rest).await.unwrap();
    assert!(rest.items == newest_first[2..] && !rest.has_next);
}

pub async fn one_invitation_waits_for_an_address_in_each_organization(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let user = world.owner(&ours).await;
    let email = "grace@example.com";
    let first = world.new_invitation(&ours, &user, email);
    insert(&world, &first).await;
    insert(&world, &world.new_invitation(&theirs, &user, email)).await;

    let second = world.new_invitation(&ours, &user, email);
    let mut uow = world.write().await;
    let refused = uow.invitations().insert(&second).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    let state = InvitationState::Revoked { at: world.now() };
    uow.invitations().update(&InvitationRecord { state, ..first }).await.unwrap();
    uow.invitations().insert(&second).await.unwrap();
    uow.commit().await.unwrap();
    assert!(find(&world, &second).await.is_some());
}

pub async fn what_waits_by_or_for_a_person_is_revoked_and_nothing_else(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let (user, other) = (world.owner(&ours).await, world.owner(&ours).await);
    let at = world.tick();
    let accepted = InvitationState::Accepted { by: other.id, at };
    let by = world.new_invitation(&ours, &user, "grace@example.com");
    let to = world.new_invitation(&ours, &other, "ada@example.com");
    let stay = [
        InvitationRecord {
            state: accepted,
            ..world.new_invitation(&ours, &user, "linus@example.com")
        },
        world.new_invitation(&ours, &other, "alan@example.com"),
        world.new_invitation(&theirs, &user, "ada@example.com"),
    ];
    for invitation in stay.iter().chain([&by, &to]) {
        insert(&world, invitation).await;
    }
    let email = "ada@example.com".parse().unwrap();
    let mut uow = world.write().await;
    uow.invitations().revoke_all_of(ours.id, user.id, Some(&email), at).await.unwrap();
    uow.commit().await.unwrap();
    for invitation in [by, to] {
        let found = find(&world, &invitation).await.unwrap();
        assert_eq!(found.state, InvitationState::Revoked { at });
    }
    for invitation in stay {
        assert_eq!(find(&world, &invitation).await, Some(invitation));
    }
}

pub async fn whoever_accepts_an_invitation_second_sees_that_it_was_accepted(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let invitation = world.new_invitation(&organization, &user, "grace@example.com");
    insert(&world, &invitation).await;

    let mut first = world.write().await;
    let found = held(&mut *first, &invitation).await;
    let state = InvitationState::Accepted { by: user.id, at: world.tick() };
    let accepted = InvitationRecord { state, ..found };
    first.invitations().update(&accepted).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        held(&mut *uow, &invitation).await
    };
    assert_eq!(after_commit_of(first, second).await, accepted);
}

/// An invitation, once its organization is held.
async fn held(uow: &mut dyn UnitOfWork, invitation: &InvitationRecord) -> InvitationRecord {
    let organization = invitation.organization_id;
    assert!(uow.organizations().find_for_update(organization).await.unwrap().is_some());
    let found = uow.invitations().find_by_secret_of_everyone(&invitation.secret).await.unwrap();
    found.unwrap()
}
