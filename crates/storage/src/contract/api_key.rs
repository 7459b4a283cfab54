//! Promises about API keys.

use chrono::TimeDelta;
use windlass_auth::{ApiKeyRecord, Rehash};
use windlass_domain::PageRequest;

use super::world::{World, after_commit_of};
use crate::{Store, StoreError};

async fn insert(world: &World<'_>, key: &ApiKeyRecord) {
    let mut uow = world.write().await;
    uow.api_keys().insert(key).await.unwrap();
    uow.commit().await.unwrap();
}

async fn find(world: &World<'_>, lookup: &str) -> Option<ApiKeyRecord> {
    world.read().await.api_keys().find_by_lookup_of_everyone(lookup).await.unwrap()
}

pub async fn a_key_is_found_by_its_lookup(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let limited = world.new_api_key(&organization, &user, "limited");
    let unlimited = ApiKeyRecord {
        scopes: Vec::new(),
        project_ids: None,
        allowed_addresses: None,
        expires_at: None,
        revoked_at: Some(world.now()),
        last_used_at: Some(world.now()),
        ..world.new_api_key(&organization, &user, "unlimited")
    };
    let reaching_nothing = ApiKeyRecord {
        project_ids: Some(Vec::new()),
        allowed_addresses: Some(Vec::new()),
        imported_start: Some("nxs_a1b2c3d4".to_owned()),
        ..world.new_api_key(&organization, &user, "nothing")
    };
    for key in [limited, unlimited, reaching_nothing] {
        insert(&world, &key).await;
        assert!(find(&world, &key.lookup).await == Some(key));
    }
    assert!(find(&world, "unknown").await.is_none());
}

pub async fn a_taken_lookup_is_reported_and_leaves_the_rest_usable(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    insert(&world, &world.new_api_key(&organization, &user, "same")).await;

    let mut uow = world.write().await;
    let again = world.new_api_key(&organization, &user, "same");
    let refused = uow.api_keys().insert(&again).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    let another = world.new_api_key(&organization, &user, "another");
    uow.api_keys().insert(&another).await.unwrap();
    uow.commit().await.unwrap();
    assert!(find(&world, "another").await.is_some());
}

pub async fn another_organization_never_finds_a_key(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let user = world.owner(&ours).await;
    let key = world.new_api_key(&ours, &user, "ours");
    insert(&world, &key).await;

    let mut uow = world.write().await;
    assert!(uow.api_keys().find(theirs.id, key.id).await.unwrap().is_none());
    assert!(uow.api_keys().find(ours.id, key.id).await.unwrap().is_some());
    assert!(uow.api_keys().find_for_update(theirs.id, key.id).await.unwrap().is_none());
    assert!(uow.api_keys().find_for_update(ours.id, key.id).await.unwrap().is_some());
    assert!(uow.api_keys().find(theirs.id, key.id).await.unwrap().is_none());
    assert!(uow.api_keys().find(ours.id, key.id).await.unwrap().is_some());
    let page = uow.api_keys().list(theirs.id, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn an_update_replaces_everything_but_the_last_use(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let key = world.new_api_key(&organization, &user, "lookup");
    insert(&world, &key).await;
    let used_at = world.tick();

    let mut uow = world.write().await;
    uow.api_keys().note_used(&[(key.id, used_at)]).await.unwrap();
    // As it was read before it was used.
    let revoked = ApiKeyRecord { revoked_at: Some(world.tick()), project_ids: None, ..key };
    uow.api_keys().update(&revoked).await.unwrap();
    uow.commit().await.unwrap();

    let expected = ApiKeyRecord { last_used_at: Some(used_at), ..revoked };
    assert!(find(&world, "lookup").await == Some(expected));
}

pub async fn a_hash_is_replaced_where_the_old_one_still_is(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let key = world.new_api_key(&organization, &user, "lookup");
    let revoked = ApiKeyRecord {
        revoked_at: Some(world.now()),
        ..world.new_api_key(&organization, &user, "revoked")
    };
    insert(&world, &key).await;
    insert(&world, &revoked).await;
    let replace = async |key: &ApiKeyRecord, old: &str, new: &str| {
        let rehash = Rehash { id: key.id, old: old.to_owned(), new: new.to_owned() };
        let mut uow = world.write().await;
        let is_replaced = uow.api_keys().replace_hash(&rehash).await.unwrap();
        uow.commit().await.unwrap();
        is_replaced
    };

    assert!(replace(&key, &key.hash, "$2b$11$new").await);
    assert!(!replace(&key, &key.hash, "$2b$11$late").await, "another one is stored by now");
    assert!(!replace(&revoked, &revoked.hash, "$2b$11$new").await);
    let expected = ApiKeyRecord { hash: "$2b$11$new".to_owned(), ..key };
    assert!(find(&world, "lookup").await == Some(expected), "nothing else has changed");
    assert!(find(&world, "revoked").await == Some(revoked));
}

pub async fn the_keys_of_one_person_in_one_organization_are_revoked_and_no_others(
    store: &dyn Store,
) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let (user, other) = (world.owner(&ours).await, world.owner(&ours).await);
    let earlier = Some(world.now());
    let old =
        ApiKeyRecord { revoked_at: earlier, ..world.new_api_key(&ours, &user, "revoked before") };
    let live = world.new_api_key(&ours, &user, "live");
    let stay = [
        world.new_api_key(&theirs, &user, "theirs"),
        world.new_api_key(&ours, &other, "another's"),
    ];
    for key in stay.iter().chain([&old, &live]) {
        insert(&world, key).await;
    }

    let at = world.tick();
    let mut uow = world.write().await;
    assert_eq!(uow.api_keys().revoke_all_of(ours.id, user.id, at).await.unwrap(), 1);
    assert_eq!(uow.api_keys().revoke_all_of(ours.id, user.id, at).await.unwrap(), 0);
    uow.commit().await.unwrap();
    for (key, revoked_at) in [(&old, earlier), (&live, Some(at))] {
        assert_eq!(find(&world, &key.lookup).await.unwrap().revoked_at, revoked_at);
    }
    for key in stay {
        assert_eq!(find(&world, &key.lookup).await, Some(key));
    }
}

pub async fn uses_are_noted_forwards_only(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let one = world.new_api_key(&organization, &user, "one");
    let other = world.new_api_key(&organization, &user, "other");
    insert(&world, &one).await;
    insert(&world, &other).await;
    // Whole seconds and fractions of them have to compare, however they are stored.
    let earlier = world.now();
    let later = earlier + TimeDelta::microseconds(1);

    for (at, expected) in [(earlier, earlier), (later, later), (earlier, later)] {
        let mut uow = world.write().await;
        uow.api_keys().note_used(&[(other.id, earlier), (one.id, at)]).await.unwrap();
        uow.commit().await.unwrap();
        let key = find(&world, "one").await.unwrap();
        assert_eq!(key.last_used_at, Some(expected));
    }
    assert_eq!(find(&world, "other").await.unwrap().last_used_at, Some(earlier));
}

pub async fn pages_of_keys_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let mut newest_first = Vec::new();
    for lookup in ["a", "b", "c"] {
        let key = world.new_api_key(&organization, &user, lookup);
        insert(&world, &key).await;
        newest_first.insert(0, key);
    }

    let mut uow = world.read().await;
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.api_keys().list(organization.id, first).await.unwrap();
    assert!(first.items == newest_first[..2] && first.has_next);
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = uow.api_keys().list(organization.id, rest).await.unwrap();
    assert!(rest.items == newest_first[2..] && !rest.has_next);
}

pub async fn whoever_locks_a_key_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let key = world.new_api_key(&organization, &user, "lookup");
    insert(&world, &key).await;

    let mut first = world.write().await;
    let found = first.api_keys().find_for_update(organization.id, key.id).await.unwrap().unwrap();
    let revoked = ApiKeyRecord { revoked_at: Some(world.tick()), ..found };
    first.api_keys().update(&revoked).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.api_keys().find_for_update(organization.id, key.id).await.unwrap()
    };
    assert!(after_commit_of(first, second).await == Some(revoked));
}
