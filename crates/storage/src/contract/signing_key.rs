//! Promises about the keys that sign.

use windlass_domain::SealedValue;

use super::world::World;
use crate::{SigningPurpose, Store, StoreError, StoredSigningKey};

fn key(world: &World<'_>, number: u32) -> StoredSigningKey {
    let sealed = SealedValue { key_id: u32::MAX, bytes: vec![0, 255, 7] };
    StoredSigningKey { number, sealed, created_at: world.tick() }
}

pub async fn keys_of_a_purpose_are_listed_by_number(store: &dyn Store) {
    use SigningPurpose::{Sessions, Tokens};

    let world = World::new(store);
    assert_eq!(world.read().await.signing_keys().list(Tokens).await.unwrap(), []);
    let keys = [10, 2, u32::MAX].map(|number| key(&world, number));
    let other = key(&world, 2);
    let mut uow = world.write().await;
    for key in &keys {
        uow.signing_keys().insert(Tokens, key).await.unwrap();
    }
    uow.signing_keys().insert(Sessions, &other).await.unwrap();
    uow.commit().await.unwrap();

    let [ten, two, most] = keys;
    let mut uow = world.write().await;
    let listed = uow.signing_keys().list(Tokens).await.unwrap();
    assert_eq!(listed, [two, ten.clone(), most.clone()]);
    uow.signing_keys().delete_before(Tokens, 10).await.unwrap();
    assert_eq!(uow.signing_keys().list(Tokens).await.unwrap(), [ten, most]);
    assert_eq!(uow.signing_keys().list(Sessions).await.unwrap(), [other]);
}

pub async fn a_number_is_given_once_and_the_rest_stays_usable(store: &dyn Store) {
    let (world, purpose) = (World::new(store), SigningPurpose::Sessions);
    let mut uow = world.write().await;
    uow.signing_keys().insert(purpose, &key(&world, 1)).await.unwrap();
    let again = uow.signing_keys().insert(purpose, &key(&world, 1)).await;
    assert!(matches!(again, Err(StoreError::Taken(_))), "{again:?}");
    uow.signing_keys().insert(purpose, &key(&world, 2)).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(world.read().await.signing_keys().list(purpose).await.unwrap().len(), 2);
}
