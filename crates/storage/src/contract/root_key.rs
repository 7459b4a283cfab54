//! Promises about the keys that sign tokens.

use windlass_domain::SealedValue;

use super::world::World;
use crate::{Store, StoreError, StoredRootKey};

fn key(world: &World<'_>, number: u32) -> StoredRootKey {
    let sealed = SealedValue { key_id: u32::MAX, bytes: vec![0, 255, 7] };
    StoredRootKey { number, sealed, created_at: world.tick() }
}

pub async fn root_keys_are_listed_by_number(store: &dyn Store) {
    let world = World::new(store);
    assert_eq!(world.read().await.root_keys().list().await.unwrap(), []);
    let keys = [10, 2, u32::MAX].map(|number| key(&world, number));
    let mut uow = world.write().await;
    for key in &keys {
        uow.root_keys().insert(key).await.unwrap();
    }
    uow.commit().await.unwrap();

    let [ten, two, most] = keys;
    let mut uow = world.write().await;
    assert_eq!(uow.root_keys().list().await.unwrap(), [two, ten.clone(), most.clone()]);
    uow.root_keys().delete_before(10).await.unwrap();
    assert_eq!(uow.root_keys().list().await.unwrap(), [ten, most]);
}

pub async fn a_number_is_given_once_and_the_rest_stays_usable(store: &dyn Store) {
    let world = World::new(store);
    let mut uow = world.write().await;
    uow.root_keys().insert(&key(&world, 1)).await.unwrap();
    let again = uow.root_keys().insert(&key(&world, 1)).await;
    assert!(matches!(again, Err(StoreError::Taken(_))), "{again:?}");
    uow.root_keys().insert(&key(&world, 2)).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(world.read().await.root_keys().list().await.unwrap().len(), 2);
}
