//! Promises about requests that are carried out once.

use windlass_domain::{Organization, SealedValue, User};

use super::world::{World, after_commit_of};
use crate::{OnceKey, OnceRecord, Store, StoreError};

fn record(world: &World<'_>, organization: &Organization, user: &User, key: &str) -> OnceRecord {
    OnceRecord {
        key: OnceKey {
            organization_id: organization.id,
            user_id: user.id,
            operation: "create_project".to_owned(),
            key: key.to_owned(),
        },
        fingerprint: "00ff".repeat(16),
        attempt: 1,
        leased_until: world.now(),
        answer: None,
        created_at: world.now(),
    }
}

async fn insert(world: &World<'_>, record: &OnceRecord) -> Result<(), StoreError> {
    let mut uow = world.write().await;
    let inserted = uow.once().insert(record).await;
    uow.commit().await.unwrap();
    inserted
}

async fn find(world: &World<'_>, key: &OnceKey) -> Option<OnceRecord> {
    world.write().await.once().find_for_update(key).await.unwrap()
}

pub async fn a_request_is_known_again_by_all_of_its_key(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let (ada, grace) = (world.owner(&organization).await, world.owner(&organization).await);
    let first = record(&world, &organization, &ada, "a");
    let others = [
        record(&world, &organization, &grace, "a"),
        record(&world, &organization, &ada, "b"),
        record(&world, &world.organization().await, &ada, "a"),
        OnceRecord {
            key: OnceKey { operation: "create_token".to_owned(), ..first.key.clone() },
            ..first.clone()
        },
    ];
    insert(&world, &first).await.unwrap();
    for other in &others {
        assert_eq!(find(&world, &other.key).await, None);
        insert(&world, other).await.unwrap();
    }

    let answer = Some(SealedValue { key_id: u32::MAX, bytes: vec![0, 255, 7] });
    let done = OnceRecord {
        fingerprint: "else".to_owned(),
        attempt: u32::MAX,
        leased_until: world.tick(),
        answer,
        created_at: world.tick(),
        ..first
    };
    let mut uow = world.write().await;
    uow.once().update(&done).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(find(&world, &done.key).await.as_ref(), Some(&done));
    for other in &others {
        assert_eq!(find(&world, &other.key).await.as_ref(), Some(other));
    }

    let mut uow = world.write().await;
    uow.once().delete(&done.key).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(find(&world, &done.key).await, None);
    assert!(find(&world, &others[0].key).await.is_some());
}

pub async fn a_request_is_added_once_and_leaves_the_rest_usable(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let first = record(&world, &organization, &user, "a");
    insert(&world, &first).await.unwrap();

    let again = OnceRecord { attempt: 2, ..first.clone() };
    let taken = insert(&world, &again).await;
    assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
    assert_eq!(find(&world, &first.key).await, Some(first));
}

pub async fn a_request_that_is_about_to_be_added_is_waited_for(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let record = record(&world, &organization, &world.owner(&organization).await, "a");
    let mut first = world.write().await;
    first.once().insert(&record).await.unwrap();
    let second = async { insert(&world, &record).await };
    assert!(matches!(after_commit_of(first, second).await, Err(StoreError::Taken(_))));
}

pub async fn whoever_locks_a_request_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let record = record(&world, &organization, &world.owner(&organization).await, "a");
    insert(&world, &record).await.unwrap();

    let mut first = world.write().await;
    let found = first.once().find_for_update(&record.key).await.unwrap().unwrap();
    let taken_over = OnceRecord { attempt: 2, ..found };
    first.once().update(&taken_over).await.unwrap();
    let second = async { find(&world, &record.key).await };
    assert_eq!(after_commit_of(first, second).await, Some(taken_over));
}

pub async fn requests_go_when_they_are_old(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let old = record(&world, &organization, &user, "old");
    let limit = world.tick();
    let young = record(&world, &organization, &user, "young");
    insert(&world, &old).await.unwrap();
    insert(&world, &young).await.unwrap();

    let mut uow = world.write().await;
    uow.once().prune_of_everyone(limit).await.unwrap();
    uow.commit().await.unwrap();

    assert_eq!(find(&world, &old.key).await, None);
    assert_eq!(find(&world, &young.key).await, Some(young));
}
