//! Keys whose hash has become too cheap.

use windlass_auth::{BcryptCost, PlainKey, Rehash, Scope};

use crate::support::{StoredKey, World, hasher, request};

/// A key hashed at the lowest cost, where the cost is higher now.
async fn cheap_key() -> (World, StoredKey) {
    let mut world = World::new();
    let key = world.stored_key(request(&[Scope::Read])).await;
    world.hasher = hasher(BcryptCost::new(6).unwrap());
    (world, key)
}

/// Hashing goes on while nobody waits, so its place is free only once it is over.
async fn hashing_is_over(world: &World) {
    let spare = PlainKey::from("spare".to_owned());
    while world.hasher.hash(&spare).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_key_that_is_used_gets_a_hash_of_the_cost_of_today() {
    let (world, key) = cheap_key().await;
    let old = world.directory.keys.lock().unwrap()[&key.lookup].record.hash.clone();
    let verifier = world.verifier();

    verifier.verify(&key.text, None).await.unwrap();
    hashing_is_over(&world).await;
    let rehashes = verifier.taken_rehashes();
    let [Rehash { id, old: replaced, new }] = rehashes.as_slice() else { panic!("{rehashes:?}") };
    assert_eq!((*id, replaced), (key.id, &old));
    assert!(new.starts_with("$2b$06$"));
    assert!(world.hasher.verify(&PlainKey::from(key.text.clone()), new).await.unwrap());
    assert_eq!(verifier.taken_rehashes(), [], "it is taken once");
    assert!(!format!("{rehashes:?}").contains("$2b$"));

    // Neither the cached key nor the new row is hashed again.
    let hashed = world.hasher.computed();
    world.directory.change(&key.lookup, |entry| entry.record.hash.clone_from(new));
    verifier.forget_all();
    verifier.verify(&key.text, None).await.unwrap();
    assert_eq!(world.hasher.computed(), hashed);
    world.verifier().verify(&key.text, None).await.unwrap();
    hashing_is_over(&world).await;
    assert_eq!(verifier.taken_rehashes(), []);
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_hashed_again() {
    let (world, key) = cheap_key().await;
    let verifier = world.verifier();
    world.directory.change(&key.lookup, |entry| entry.creator_role = None);

    assert!(verifier.verify(&key.text, None).await.is_err());
    hashing_is_over(&world).await;
    assert_eq!(verifier.taken_rehashes(), []);
}

#[tokio::test]
async fn a_dearer_hash_than_that_of_today_stays() {
    let mut world = World::with_cost(BcryptCost::new(6).unwrap());
    let key = world.stored_key(request(&[Scope::Read])).await;
    world.hasher = hasher(BcryptCost::MIN);
    let verifier = world.verifier();

    verifier.verify(&key.text, None).await.unwrap();
    hashing_is_over(&world).await;
    assert_eq!(verifier.taken_rehashes(), []);
}

#[tokio::test]
async fn a_cheap_hash_is_refused_as_slowly_as_a_key_that_is_not_there() {
    let (world, key) = cheap_key().await;
    let verifier = world.verifier();
    let unknown = world.format.generate(&world.entropy);
    let wrong = world.format.generate(&world.entropy);
    let entry = world.directory.keys.lock().unwrap()[&key.lookup].clone();
    world.directory.keys.lock().unwrap().insert(wrong.lookup, entry);

    for refused in [unknown.key, wrong.key] {
        let before = world.hasher.rounds();
        assert!(verifier.verify(refused.expose(), None).await.is_err());
        assert_eq!(world.hasher.rounds() - before, 1 << 6);
    }
}
