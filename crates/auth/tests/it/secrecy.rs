//! Nothing that can be printed shows a key or a hash.

use windlass_auth::{KeyEntry, PlainKey, Role, Scope};

use crate::support::{World, request};

#[tokio::test]
async fn debug_output_shows_neither_key_nor_hash() {
    let world = World::new();
    let new = world.format.generate(&world.entropy);
    let secret_of = |key: &PlainKey| key.expose().rsplit('_').next().unwrap().to_owned();
    let mut secrets = vec![secret_of(&new.key)];

    let minted = world.mint(request(&[Scope::Admin]), world.member(Role::Owner)).await.unwrap();
    secrets.extend([secret_of(&minted.key), minted.record.hash.clone()]);
    let key = world.stored_key(request(&[Scope::Read])).await;
    let stored = world.directory.keys.lock().unwrap()[&key.lookup].clone();
    secrets.extend([secret_of(&PlainKey::from(key.text.clone())), stored.record.hash.clone()]);

    let verifier = world.verifier();
    let principal = verifier.verify(&key.text, None).await.unwrap();
    let wrong = world.format.generate(&world.entropy);
    secrets.push(secret_of(&wrong.key));
    let refused = verifier.verify(wrong.key.expose(), None).await.unwrap_err();
    world.directory.change(&key.lookup, |entry| entry.record.hash = "$2b$no hash".to_owned());
    verifier.forget(key.id);
    let unreadable = verifier.verify(&key.text, None).await.unwrap_err();

    let printed = [
        format!("{new:?} {minted:?} {:?}", new.key),
        format!("{stored:?} {:?}", KeyEntry { creator_role: None, ..stored.clone() }),
        format!("{verifier:?} {:?} {principal:?}", world.hasher),
        format!("{refused:?} {refused} {unreadable:?} {unreadable} {wrong:?}"),
    ]
    .concat();
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret} in {printed}");
        assert!(!printed.contains("$2b$"), "{printed}");
    }
}
