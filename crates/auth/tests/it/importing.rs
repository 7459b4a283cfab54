//! Keys that were made elsewhere.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use windlass_auth::{
    ApiKeyId, AuthError, ImportError, ImportedFormat, ImportedKey, KeyEntry, MintError, NewApiKey,
    Permission, PlainKey, Role, Scope, import,
};
use windlass_domain::Clock as _;

use crate::support::{World, request};

const TEXT: &str = "nxs_Ks7dF2xW9bT3mN+pQ/r8sV1yZ4a6c0E5g=";
/// `U*U`, by another implementation.
const FROM_ELSEWHERE: (&str, &str) =
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");

async fn imported(world: &World, text: &str, shown: usize) -> Result<ImportedKey, ImportError> {
    let hash = world.hasher.hash(&PlainKey::from(text.to_owned())).await.unwrap();
    ImportedKey::new(request(&[Scope::Build]), text[..shown].to_owned(), hash, None)
}

/// Puts a key into the directory as an import does.
async fn stored(world: &World, text: &str) -> ApiKeyId {
    let key = imported(world, text, 12).await.unwrap();
    let mut formats = world.directory.formats.lock().unwrap();
    let known = formats.iter().position(|format| format.prefix == key.format().prefix);
    let format = match known {
        Some(index) => {
            let keys = world.directory.keys.lock().unwrap();
            let start = formats[index].start_of(text);
            let alike =
                keys.values().filter(|entry| entry.record.imported_start.as_deref() == start);
            formats.remove(index).and(&key, alike.count()).unwrap()
        }
        None => key.format().clone(),
    };
    let record = import(key, world.member(Role::Owner), &format, world.fx()).unwrap();
    formats.push(format);
    let (id, lookup) = (record.id, record.lookup.clone());
    let entry = KeyEntry { record, creator_role: Some(Role::Owner) };
    world.directory.keys.lock().unwrap().insert(lookup, entry);
    id
}

fn is_invalid<T>(result: &Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::Invalid))
}

#[tokio::test]
async fn an_imported_key_goes_on_working() {
    let world = World::new();
    let id = stored(&world, TEXT).await;
    let verifier = world.verifier();

    let principal = verifier.verify(TEXT, None).await.unwrap();
    assert_eq!(principal.permissions, Scope::Build.permissions());
    assert_eq!(principal.label(), r#"API key "ci""#);
    let reads = world.directory.reads();
    verifier.verify(TEXT, None).await.unwrap();
    assert_eq!(world.directory.reads(), reads, "it is cached like any other");
    assert_eq!(verifier.taken_uses(), [(id, world.clock.now())]);

    let now = world.clock.now();
    for entry in world.directory.keys.lock().unwrap().values_mut() {
        entry.record.revoked_at = Some(now);
    }
    verifier.forget(id);
    assert!(is_invalid(&verifier.verify(TEXT, None).await));
}

#[tokio::test]
async fn hashes_of_other_implementations_are_read() {
    let world = World::new();
    let (text, hash) = FROM_ELSEWHERE;
    for version in ["$2a$", "$2b$", "$2y$"] {
        let hash = hash.replace("$2a$", version);
        let key = PlainKey::from(text.to_owned());
        assert!(world.hasher.verify(&key, &hash).await.unwrap(), "{version}");
        assert!(ImportedKey::new(request(&[]), "nxs_abcd".to_owned(), hash, None).is_ok());
    }
}

#[tokio::test]
async fn a_text_that_no_imported_key_begins_like_is_refused_without_a_hash() {
    let world = World::new();
    stored(&world, TEXT).await;
    let verifier = world.verifier();
    let (reads, hashes) = (world.directory.reads(), world.hasher.computed());

    let long = format!("nxs_{}", "x".repeat(68));
    let texts = [
        "nrx_Ks7dF2xW9bT3mN",
        "nxs_",
        "nxs_Ks7d",
        "nxs",
        "_nxs_Ks7dF2xW9b",
        "nxs_Ks7dF2xW9é",
        &long,
    ];
    for text in texts {
        assert!(is_invalid(&verifier.verify(text, None).await), "{text}");
    }
    assert_eq!((world.directory.reads(), world.hasher.computed()), (reads, hashes));
    assert_eq!(world.directory.reads_of_formats.load(Ordering::SeqCst), 1, "asked once a second");
}

#[tokio::test]
async fn a_key_that_another_process_imports_works_within_a_second() {
    let world = World::new();
    let verifier = world.verifier();
    assert!(is_invalid(&verifier.verify(TEXT, None).await));

    let id = stored(&world, TEXT).await;
    assert!(is_invalid(&verifier.verify(TEXT, None).await), "nobody told the verifier");
    world.clock.advance(TimeDelta::seconds(1));
    assert!(verifier.verify(TEXT, None).await.is_ok());

    let other = "nrx_0123456789abcdef";
    assert!(is_invalid(&verifier.verify(other, None).await));
    stored(&world, other).await;
    verifier.forget(id);
    assert!(verifier.verify(other, None).await.is_ok(), "at once where it is told of a change");
}

#[tokio::test]
async fn whatever_an_imported_key_is_refused_for_it_costs_the_same() {
    let world = World::new();
    // Three begin alike, one alone.
    let [first, second, revoked, alone] =
        ["nxs_aaaaaaaa1111", "nxs_aaaaaaaa2222", "nxs_aaaaaaaa3333", "nxs_bbbbbbbb1111"];
    for text in [first, second, revoked, alone] {
        stored(&world, text).await;
    }
    let now = world.clock.now();
    let verifier = world.verifier();
    for text in [first, second, alone] {
        assert!(verifier.verify(text, None).await.is_ok(), "{text}");
    }
    for entry in world.directory.keys.lock().unwrap().values_mut() {
        entry.record.revoked_at = Some(now);
    }
    verifier.forget_all();

    let unknown = ["nxs_aaaaaaaa4444", "nxs_bbbbbbbb4444", "nxs_cccccccc4444"];
    for text in unknown {
        let (reads, rounds) = (world.directory.reads(), world.hasher.rounds());
        assert!(is_invalid(&verifier.verify(text, None).await));
        assert_eq!(world.directory.reads(), reads + 1);
        assert_eq!(world.hasher.rounds(), rounds + 3 * (1 << 4), "{text}");
    }
}

#[tokio::test]
async fn keys_that_begin_alike_are_told_apart_up_to_a_bound() {
    let world = World::new();
    let texts: Vec<String> =
        (0..ImportedFormat::MOST_ALIKE).map(|number| format!("nxs_aaaaaaaa{number}")).collect();
    for text in &texts {
        stored(&world, text).await;
    }
    let verifier = world.verifier();
    for text in &texts {
        assert!(verifier.verify(text, None).await.is_ok(), "{text}");
    }
    let format = world.directory.formats.lock().unwrap()[0].clone();
    let one_more = imported(&world, "nxs_aaaaaaaa-more", 12).await.unwrap();
    let refused = format.and(&one_more, ImportedFormat::MOST_ALIKE);
    assert!(matches!(refused, Err(ImportError::TooManyAlike)));
}

#[tokio::test]
async fn a_key_of_ours_is_never_looked_for_among_the_imported() {
    let mut world = World::new();
    stored(&world, TEXT).await;
    world.format = windlass_auth::KeyFormat::with_prefix("nxs").unwrap();
    let key = world.stored_key(request(&[Scope::Read])).await;
    let verifier = world.verifier();

    assert!(verifier.verify(&key.text, None).await.is_ok());
    assert_eq!(world.directory.reads_of_formats.load(Ordering::SeqCst), 0);
    assert!(verifier.verify(TEXT, None).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused() {
    let world = World::new();
    let hash = world.hasher.hash(&PlainKey::from(TEXT.to_owned())).await.unwrap();
    let new = |start: &str, hash: &str| {
        ImportedKey::new(request(&[]), start.to_owned(), hash.to_owned(), None)
    };
    let long = format!("nxs_{}", "x".repeat(70));
    for start in ["", "nxs", "nxs_", "_abc", "n s_abc", "nxs_a b", "prefix-too-long_abc", &long] {
        assert!(matches!(new(start, &hash), Err(ImportError::Start)), "{start}");
    }
    let dear = hash.replace("$04$", "$16$");
    let broken = hash.replace("$2b$", "$2x$");
    for hash in ["", "secret", "$argon2id$v=19$m=1", &hash[1..], &hash[..59], &dear, &broken] {
        assert!(matches!(new("nxs_abcd", hash), Err(ImportError::Hash)), "{hash}");
    }

    let known = imported(&world, TEXT, 12).await.unwrap().format().clone();
    let shorter = imported(&world, TEXT, 8).await.unwrap();
    assert!(matches!(known.and(&shorter, 0), Err(ImportError::ShortStart { length: 12 })));
}

#[tokio::test]
async fn an_imported_key_is_no_broader_than_its_owner_and_no_older_than_now() {
    let world = World::new();
    let now = world.clock.now();
    let hash = world.hasher.hash(&PlainKey::from(TEXT.to_owned())).await.unwrap();
    let new = |request: NewApiKey, created_at| {
        ImportedKey::new(request, TEXT[..12].to_owned(), hash.clone(), Some(created_at)).unwrap()
    };
    let made = |request, created_at| {
        let key = new(request, created_at);
        let format = key.format().clone();
        import(key, world.member(Role::Member), &format, world.fx())
    };

    let broad = made(request(&[Scope::Admin]), now);
    let lacking = Permission::ApiKeysWrite;
    assert!(matches!(
        broad,
        Err(ImportError::Mint(MintError::TooBroad { permission })) if permission == lacking
    ));
    let expired = NewApiKey { expires_at: Some(now), ..request(&[]) };
    assert!(matches!(made(expired, now), Err(ImportError::Mint(MintError::Expired))));
    let old = made(request(&[Scope::Build]), now - TimeDelta::days(400)).unwrap();
    assert_eq!(old.created_at, now - TimeDelta::days(400));
    assert_eq!(
        (old.prefix.as_str(), old.imported_start.as_deref()),
        (&TEXT[..12], Some(&TEXT[..12]))
    );
    let early = made(request(&[]), now + TimeDelta::days(1)).unwrap();
    assert_eq!(early.created_at, now);
    assert_eq!(old.lookup, early.lookup, "it is the same key");
    let key = new(request(&[]), now);
    assert!(!format!("{key:?}").contains("$2b$"));
}
