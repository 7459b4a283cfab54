//! Verification of presented keys, one at a time.

use std::{error::Error as _, time::Duration};

use chrono::TimeDelta;
use windlass_auth::{
    AddressReach, AuthError, Credential, KeyFormat, NewApiKey, Permission, PermissionSet,
    Principal, ProjectReach, Role, Scope, VerifierOptions,
};
use windlass_domain::Clock as _;

use crate::support::{World, request};

fn is_invalid<T>(result: &Result<T, AuthError>) -> bool {
    matches!(result, Err(AuthError::Invalid))
}

#[tokio::test]
async fn a_key_stands_for_its_creator_within_its_scopes_and_projects() {
    let world = World::new();
    let (project, expires_at) = (world.project(), world.clock.now() + TimeDelta::days(1));
    let key = world
        .stored_key(NewApiKey {
            scopes: vec![Scope::Build],
            project_ids: Some(vec![project]),
            expires_at: Some(expires_at),
            ..request(&[])
        })
        .await;

    let principal = world.verifier().verify(&key.text, None).await.unwrap();
    let expected = Principal {
        organization_id: world.organization,
        user_id: world.user,
        role: Role::Owner,
        credential: Credential::ApiKey {
            id: key.id,
            name: "ci".parse().unwrap(),
            prefix: "wls_00000000".to_owned(),
            scopes: vec![Scope::Build],
            addresses: AddressReach::Anywhere,
            expires_at: Some(expires_at),
        },
        permissions: PermissionSet::of(&[Permission::BuildsRead, Permission::BuildsWrite]),
        projects: ProjectReach::Only([project].into()),
        restriction: None,
    };
    assert_eq!(*principal, expected);
    assert_eq!(principal.label(), r#"API key "ci""#);
}

#[tokio::test]
async fn a_known_key_asks_nobody() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());

    for _ in 0..3 {
        verifier.verify(&key.text, None).await.unwrap();
    }
    assert_eq!(world.directory.reads(), 1);
    assert_eq!(world.hasher.computed(), 2, "one when it was made, one when it was first seen");
}

#[tokio::test]
async fn a_malformed_key_is_refused_without_asking_anybody() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());

    let mistyped = key.text.replace("wls_0", "wls_1");
    for text in ["", "wls_", "Bearer", &mistyped, &key.text[1..], &"x".repeat(1 << 20)] {
        assert!(is_invalid(&verifier.verify(text, None).await));
    }
    assert_eq!((world.directory.reads(), world.hasher.computed()), (0, 1));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_even_where_the_checksum_is_right() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());
    // The row of one key, found by the look-up id of another.
    let other = world.format.generate(&world.entropy);
    let entry = world.directory.keys.lock().unwrap()[&key.lookup].clone();
    world.directory.keys.lock().unwrap().insert(other.lookup, entry);

    assert!(is_invalid(&verifier.verify(other.key.expose(), None).await));
    assert!(is_invalid(&verifier.verify(other.key.expose(), None).await), "nor is that cached");
    assert!(verifier.verify(&key.text, None).await.is_ok());
}

#[tokio::test]
async fn an_unknown_key_is_refused_each_time_anew() {
    let world = World::new();
    let (unknown, verifier) = (world.format.generate(&world.entropy), world.verifier());

    assert!(is_invalid(&verifier.verify(unknown.key.expose(), None).await));
    assert!(is_invalid(&verifier.verify(unknown.key.expose(), None).await));
    assert_eq!(world.directory.reads(), 2, "what is refused is not remembered");
}

#[tokio::test]
async fn whatever_a_key_is_refused_for_it_costs_one_read_and_one_hash() {
    let world = World::new();
    let now = world.clock.now();
    let [expired, revoked, orphaned, wrong] = [
        world.stored_key(request(&[Scope::Read])).await,
        world.stored_key(request(&[Scope::Read])).await,
        world.stored_key(request(&[Scope::Read])).await,
        world.stored_key(request(&[Scope::Read])).await,
    ];
    let unknown = world.format.generate(&world.entropy);
    let directory = &world.directory;
    directory.change(&expired.lookup, |entry| entry.record.expires_at = Some(now));
    directory.change(&revoked.lookup, |entry| entry.record.revoked_at = Some(now));
    directory.change(&orphaned.lookup, |entry| entry.creator_role = None);
    let hash = directory.keys.lock().unwrap()[&revoked.lookup].record.hash.clone();
    directory.change(&wrong.lookup, |entry| entry.record.hash = hash);

    let verifier = world.verifier();
    for text in [&expired.text, &revoked.text, &orphaned.text, &wrong.text, unknown.key.expose()] {
        let (reads, hashes) = (directory.reads(), world.hasher.computed());
        assert!(is_invalid(&verifier.verify(text, None).await));
        assert_eq!((directory.reads(), world.hasher.computed()), (reads + 1, hashes + 1));
    }
}

#[tokio::test]
async fn keys_of_another_prefix_do_not_work_here() {
    let mut world = World::new();
    let key = world.stored_key(request(&[Scope::Read])).await;
    world.format = KeyFormat::with_prefix("nxs").unwrap();

    assert!(is_invalid(&world.verifier().verify(&key.text, None).await));
}

#[tokio::test]
async fn a_key_is_refused_from_the_instant_of_its_expiry_on() {
    let world = World::new();
    let expires_at = world.clock.now() + TimeDelta::seconds(2);
    let wanted = NewApiKey { expires_at: Some(expires_at), ..request(&[Scope::Read]) };
    let (key, verifier) = (world.stored_key(wanted).await, world.verifier());

    verifier.verify(&key.text, None).await.unwrap();
    world.clock.advance(TimeDelta::milliseconds(1_999));
    verifier.verify(&key.text, None).await.unwrap();
    assert_eq!(world.directory.reads(), 1, "it was still cached");
    world.clock.advance(TimeDelta::milliseconds(1));
    assert!(
        is_invalid(&verifier.verify(&key.text, None).await),
        "the cache does not outlive the key"
    );
    assert!(is_invalid(&world.verifier().verify(&key.text, None).await));
}

#[tokio::test]
async fn a_revoked_key_is_refused_once_it_is_forgotten() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());
    let other = world.stored_key(request(&[Scope::Read])).await;
    verifier.verify(&key.text, None).await.unwrap();
    verifier.verify(&other.text, None).await.unwrap();

    let now = world.clock.now();
    world.directory.change(&key.lookup, |entry| entry.record.revoked_at = Some(now));
    verifier.forget(key.id);

    assert!(is_invalid(&verifier.verify(&key.text, None).await));
    let reads = world.directory.reads();
    verifier.verify(&other.text, None).await.unwrap();
    assert_eq!(world.directory.reads(), reads, "other keys stay known");
}

#[tokio::test]
async fn a_change_that_nobody_told_of_is_noticed_when_the_cached_answer_is_old() {
    let world = World::new();
    let key = world.stored_key(request(&[Scope::Read])).await;
    let cache_ttl = Duration::from_secs(30);
    let verifier = world.verifier_with(VerifierOptions { cache_ttl, ..Default::default() });
    verifier.verify(&key.text, None).await.unwrap();

    let now = world.clock.now();
    world.directory.change(&key.lookup, |entry| entry.record.revoked_at = Some(now));
    world.clock.advance(TimeDelta::seconds(30));
    assert!(is_invalid(&verifier.verify(&key.text, None).await));
}

#[tokio::test]
async fn a_key_shrinks_with_the_role_of_its_creator() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Admin])).await, world.verifier());
    let permissions = async || verifier.verify(&key.text, None).await.unwrap().permissions;
    assert_eq!(permissions().await, PermissionSet::ALL);

    for role in [Role::Member, Role::Viewer] {
        world.directory.change(&key.lookup, |entry| entry.creator_role = Some(role));
        verifier.forget_all();
        assert_eq!(permissions().await, role.permissions());
    }
}

#[tokio::test]
async fn the_keys_of_somebody_who_has_left_are_refused() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Admin])).await, world.verifier());
    verifier.verify(&key.text, None).await.unwrap();

    world.directory.change(&key.lookup, |entry| entry.creator_role = None);
    verifier.forget_all();
    assert!(is_invalid(&verifier.verify(&key.text, None).await));
}

#[tokio::test]
async fn a_stored_scope_that_is_not_known_grants_nothing() {
    let world = World::new();
    let key = world.stored_key(request(&[Scope::Update])).await;
    world.directory.change(&key.lookup, |entry| {
        entry.record.scopes.extend(["*".to_owned(), "Admin".to_owned()]);
    });

    let principal = world.verifier().verify(&key.text, None).await.unwrap();
    assert_eq!(principal.permissions, Scope::Update.permissions());
}

#[tokio::test]
async fn a_key_whose_stored_hash_was_replaced_is_refused() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());
    let other = world.stored_key(request(&[Scope::Read])).await;
    verifier.verify(&key.text, None).await.unwrap();

    let hash = world.directory.keys.lock().unwrap()[&other.lookup].record.hash.clone();
    world.directory.change(&key.lookup, |entry| entry.record.hash = hash);
    verifier.forget_all();
    assert!(
        is_invalid(&verifier.verify(&key.text, None).await),
        "what it matched before is no proof"
    );
}

#[tokio::test]
async fn a_directory_that_fails_says_nothing_about_the_key() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());

    *world.directory.failure.lock().unwrap() = Some("connection refused");
    let Err(AuthError::Unavailable(err)) = verifier.verify(&key.text, None).await else { panic!() };
    assert_eq!(err.source().unwrap().to_string(), "connection refused");
    *world.directory.failure.lock().unwrap() = None;
    assert!(verifier.verify(&key.text, None).await.is_ok(), "nor is the failure remembered");
}

#[tokio::test]
async fn an_unreadable_hash_is_a_fault_of_the_server() {
    let world = World::new();
    let key = world.stored_key(request(&[Scope::Read])).await;
    world.directory.change(&key.lookup, |entry| entry.record.hash.truncate(20));

    let refused = world.verifier().verify(&key.text, None).await;
    assert!(matches!(refused, Err(AuthError::Unavailable(_))));
}

#[tokio::test]
async fn a_full_cache_still_lets_every_valid_key_in() {
    let world = World::new();
    let verifier = world.verifier_with(VerifierOptions { cache_size: 2, ..Default::default() });

    for _ in 0..5 {
        let key = world.stored_key(request(&[Scope::Read])).await;
        verifier.verify(&key.text, None).await.unwrap();
    }
    assert_eq!(format!("{verifier:?}"), "KeyVerifier { known: 2, .. }");
}

#[tokio::test]
async fn uses_are_noted_for_the_latest_time_and_taken_once() {
    let world = World::new();
    let (key, verifier) = (world.stored_key(request(&[Scope::Read])).await, world.verifier());
    let unused = world.stored_key(request(&[Scope::Read])).await;
    assert_eq!(verifier.taken_uses(), []);

    verifier.verify(&key.text, None).await.unwrap();
    world.clock.advance(TimeDelta::seconds(5));
    verifier.verify(&key.text, None).await.unwrap();
    let latest = world.clock.now();
    assert_eq!(verifier.taken_uses(), [(key.id, latest)]);
    assert_eq!(verifier.taken_uses(), []);

    world.clock.advance(TimeDelta::seconds(-3));
    verifier.verify(&key.text, None).await.unwrap();
    assert_eq!(verifier.taken_uses(), [], "a clock that was set back unmakes nothing");

    world.directory.change(&unused.lookup, |entry| entry.creator_role = None);
    assert!(is_invalid(&verifier.verify(&unused.text, None).await));
    assert_eq!(verifier.taken_uses(), [], "a refusal is no use");
}
