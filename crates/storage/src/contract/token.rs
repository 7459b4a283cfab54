//! Promises about tokens.

use chrono::TimeDelta;
use windlass_auth::{TokenPurpose, TokenRecord};
use windlass_domain::PageRequest;

use super::world::{World, after_commit_of};
use crate::Store;

async fn insert(world: &World<'_>, token: &TokenRecord) {
    let mut uow = world.write().await;
    uow.tokens().insert(token).await.unwrap();
    uow.commit().await.unwrap();
}

async fn find(world: &World<'_>, token: &TokenRecord) -> Option<TokenRecord> {
    world.read().await.tokens().find_of_everyone(token.id).await.unwrap()
}

pub async fn a_token_survives_storage(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let key = world.new_api_key(&organization, &user, "issuing");
    let mut uow = world.write().await;
    uow.api_keys().insert(&key).await.unwrap();
    uow.commit().await.unwrap();
    for purpose in [
        TokenPurpose::Delegation,
        TokenPurpose::Login,
        TokenPurpose::Link { issuing_key: None },
        TokenPurpose::Link { issuing_key: Some(key.id) },
    ] {
        let revoked_at = Some(world.tick());
        let token = TokenRecord { purpose, revoked_at, ..world.new_token(&organization, &user) };
        insert(&world, &token).await;
        assert_eq!(find(&world, &token).await, Some(token));
    }
    assert_eq!(find(&world, &world.new_token(&organization, &user)).await, None);
}

pub async fn another_organization_never_finds_a_token(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let token = world.new_token(&ours, &world.owner(&ours).await);
    insert(&world, &token).await;

    let mut uow = world.write().await;
    assert!(uow.tokens().find_for_update(theirs.id, token.id).await.unwrap().is_none());
    assert!(uow.tokens().find_for_update(ours.id, token.id).await.unwrap().is_some());
    let page = uow.tokens().list(theirs.id, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn pages_of_tokens_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        let token = world.new_token(&organization, &user);
        insert(&world, &token).await;
        newest_first.insert(0, token);
    }

    let mut uow = world.read().await;
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.tokens().list(organization.id, first).await.unwrap();
    assert!(first.items == newest_first[..2] && first.has_next);
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = uow.tokens().list(organization.id, rest).await.unwrap();
    assert!(rest.items == newest_first[2..] && !rest.has_next);
}

pub async fn a_block_is_revoked_for_its_token_alone(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let (one, other) =
        (world.new_token(&organization, &user), world.new_token(&organization, &user));
    insert(&world, &one).await;
    insert(&world, &other).await;
    for at in [world.now(), world.tick()] {
        let mut uow = world.write().await;
        uow.tokens().revoke_block(one.id, "beef", at).await.unwrap();
        uow.commit().await.unwrap();
    }

    let mut uow = world.read().await;
    let [first, beef, more] = ["aa", "beef", "cc"].map(str::to_owned);
    for (token, blocks, expected) in [
        (&one, vec![first.clone(), beef.clone(), more.clone()], true),
        (&one, vec![beef.clone()], true),
        (&one, vec![first, more], false),
        (&one, vec![], false),
        (&other, vec![beef], false),
    ] {
        let revoked = uow.tokens().has_revoked_block(token.id, &blocks).await.unwrap();
        assert_eq!(revoked, expected, "{blocks:?}");
    }
}

pub async fn the_tokens_of_one_person_in_one_organization_are_revoked_and_no_others(
    store: &dyn Store,
) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let (user, other) = (world.owner(&ours).await, world.owner(&ours).await);
    let earlier = Some(world.now());
    let link = TokenPurpose::Link { issuing_key: None };
    let old = TokenRecord { revoked_at: earlier, ..world.new_token(&ours, &user) };
    let live = world.new_token(&ours, &user);
    let linked = TokenRecord { purpose: link, ..world.new_token(&ours, &user) };
    let stay = [world.new_token(&theirs, &user), world.new_token(&ours, &other)];
    for token in stay.iter().chain([&old, &live, &linked]) {
        insert(&world, token).await;
    }

    let at = world.tick();
    let mut uow = world.write().await;
    assert_eq!(uow.tokens().revoke_all_of(ours.id, user.id, at).await.unwrap(), 2);
    assert_eq!(uow.tokens().revoke_all_of(ours.id, user.id, at).await.unwrap(), 0);
    uow.commit().await.unwrap();
    for (token, revoked_at) in [(&old, earlier), (&live, Some(at)), (&linked, Some(at))] {
        assert_eq!(find(&world, token).await.unwrap().revoked_at, revoked_at);
    }
    for token in stay {
        assert_eq!(find(&world, &token).await, Some(token));
    }
}

pub async fn links_go_when_they_have_ended_and_tokens_stay(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let now = world.now();
    let token = |purpose, seconds| TokenRecord {
        purpose,
        expires_at: now + TimeDelta::seconds(seconds),
        ..world.new_token(&organization, &user)
    };
    let link = TokenPurpose::Link { issuing_key: None };
    let ended = token(link, -1);
    let stay = [token(link, 0), token(link, 1), token(TokenPurpose::Delegation, -1)];
    for token in stay.iter().chain([&ended]) {
        insert(&world, token).await;
    }
    let mut uow = world.write().await;
    uow.tokens().revoke_block(ended.id, "beef", now).await.unwrap();
    uow.tokens().prune_links(now).await.unwrap();
    uow.commit().await.unwrap();

    assert_eq!(find(&world, &ended).await, None);
    for token in stay {
        assert!(find(&world, &token).await.is_some(), "{token:?}");
    }
}

pub async fn whoever_locks_a_token_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let token = world.new_token(&organization, &world.owner(&organization).await);
    insert(&world, &token).await;

    let mut first = world.write().await;
    let found = first.tokens().find_for_update(organization.id, token.id).await.unwrap().unwrap();
    let revoked = TokenRecord { revoked_at: Some(world.tick()), ..found };
    first.tokens().update(&revoked).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.tokens().find_for_update(organization.id, token.id).await.unwrap()
    };
    assert!(after_commit_of(first, second).await == Some(revoked));
}
