//! Verification while other things happen.

use std::{future::poll_fn, pin::pin, task::Poll};

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use windlass_auth::{AuthError, Scope};
use windlass_domain::Clock as _;

use crate::support::{StoredKey, World, request};

async fn world_with_key() -> (World, StoredKey) {
    let world = World::new();
    let key = world.stored_key(request(&[Scope::Read])).await;
    (world, key)
}

fn revoke(world: &World, key: &StoredKey) {
    let now = world.clock.now();
    world.directory.change(&key.lookup, |entry| entry.record.revoked_at = Some(now));
}

#[tokio::test]
async fn fifty_first_requests_with_one_key_check_it_once() {
    let (world, key) = world_with_key().await;
    let verifier = world.verifier();
    let gate = world.directory.hold(&key.lookup);

    let requests = join_all((0..50).map(|_| verifier.verify(&key.text, None)));
    let (results, ()) = join(requests, async { gate.open() }).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!((world.directory.reads(), world.hasher.computed()), (1, 2));
}

#[tokio::test]
async fn fifty_requests_with_one_wrong_key_are_refused_together() {
    let world = World::new();
    let verifier = world.verifier();
    let unknown = world.format.generate(&world.entropy);
    let gate = world.directory.hold(&unknown.lookup);

    let requests = join_all((0..50).map(|_| verifier.verify(unknown.key.expose(), None)));
    let (results, ()) = join(requests, async { gate.open() }).await;

    assert!(results.iter().all(|result| matches!(result, Err(AuthError::Invalid))));
    assert_eq!((world.directory.reads(), world.hasher.computed()), (1, 1));
}

#[tokio::test]
async fn a_key_that_is_revoked_while_it_is_read_is_not_let_in_afterwards() {
    let (world, key) = world_with_key().await;
    let verifier = world.verifier();
    let gate = world.directory.hold(&key.lookup);

    let (result, ()) = join(verifier.verify(&key.text, None), async {
        gate.reached().await;
        revoke(&world, &key);
        verifier.forget(key.id);
        gate.open();
    })
    .await;

    assert!(matches!(result, Err(AuthError::Invalid)), "what was read was stale: {result:?}");
    assert!(matches!(verifier.verify(&key.text, None).await, Err(AuthError::Invalid)));
}

#[tokio::test]
async fn a_role_that_shrinks_while_a_key_is_read_counts() {
    let (world, key) = world_with_key().await;
    let verifier = world.verifier();
    let gate = world.directory.hold(&key.lookup);

    let (result, ()) = join(verifier.verify(&key.text, None), async {
        gate.reached().await;
        world.directory.change(&key.lookup, |entry| entry.creator_role = None);
        verifier.forget_all();
        gate.open();
    })
    .await;

    assert!(matches!(result, Err(AuthError::Invalid)));
    assert!(matches!(verifier.verify(&key.text, None).await, Err(AuthError::Invalid)));
}

#[tokio::test]
async fn a_request_that_begins_after_a_revocation_does_not_join_an_earlier_answer() {
    let (world, key) = world_with_key().await;
    let verifier = world.verifier();
    let gate = world.directory.hold(&key.lookup);

    let (_, late) = join(verifier.verify(&key.text, None), async {
        gate.reached().await;
        revoke(&world, &key);
        verifier.forget(key.id);
        let (late, ()) = join(verifier.verify(&key.text, None), async { gate.open() }).await;
        late
    })
    .await;

    assert!(matches!(late, Err(AuthError::Invalid)));
}

#[tokio::test]
async fn another_keys_change_while_a_key_is_read_costs_a_read_but_no_hash() {
    let (world, key) = world_with_key().await;
    let other = world.stored_key(request(&[Scope::Read])).await;
    let verifier = world.verifier();
    let gate = world.directory.hold(&key.lookup);

    let (result, ()) = join(verifier.verify(&key.text, None), async {
        gate.reached().await;
        verifier.forget(other.id);
        gate.open();
    })
    .await;

    assert!(result.is_ok());
    assert_eq!((world.directory.reads(), world.hasher.computed()), (2, 3), "2 for the making");
}

#[tokio::test]
async fn a_client_that_gives_up_does_not_take_the_others_along() {
    let (world, key) = world_with_key().await;
    let verifier = world.verifier();
    let gate = world.directory.hold(&key.lookup);

    let mut second = pin!(verifier.verify(&key.text, None));
    {
        let mut first = pin!(verifier.verify(&key.text, None));
        poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            assert!(second.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        gate.reached().await;
    }
    gate.open();

    assert!(second.await.is_ok());
    assert_eq!(world.directory.reads(), 2, "the second began anew");
}

#[tokio::test]
async fn a_refusal_is_only_for_those_who_waited_for_it() {
    let world = World::new();
    let verifier = world.verifier();
    let unknown = world.format.generate(&world.entropy);
    let gate = world.directory.hold(&unknown.lookup);

    let mut first = pin!(verifier.verify(unknown.key.expose(), None));
    let mut slow = pin!(verifier.verify(unknown.key.expose(), None));
    poll_fn(|cx| {
        assert!(first.as_mut().poll(cx).is_pending());
        assert!(slow.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    gate.open();
    assert!(first.await.is_err());

    assert!(verifier.verify(unknown.key.expose(), None).await.is_err());
    assert_eq!(world.directory.reads(), 2, "the later one asked for itself");
    assert!(slow.await.is_err());
    assert_eq!(world.directory.reads(), 2);
}

#[tokio::test]
async fn a_flood_of_wrong_keys_is_turned_away_and_leaves_known_keys_alone() {
    let (world, key) = world_with_key().await;
    let verifier = world.verifier();
    verifier.verify(&key.text, None).await.unwrap();
    let wrong = [(); 2].map(|()| world.format.generate(&world.entropy));
    let gate = world.directory.hold(&wrong[0].lookup);

    let (first, ()) = join(verifier.verify(wrong[0].key.expose(), None), async {
        gate.reached().await;
        // The only place is taken now.
        let reads = world.directory.reads();
        let turned_away = verifier.verify(wrong[1].key.expose(), None).await;
        assert!(matches!(turned_away, Err(AuthError::Busy)));
        assert_eq!(world.directory.reads(), reads, "the directory is spared, too");
        assert!(verifier.verify(&key.text, None).await.is_ok());

        // Nor does a known key need a hash when the directory has to be asked again.
        world.clock.advance(TimeDelta::hours(1));
        assert!(verifier.verify(&key.text, None).await.is_ok());
        verifier.forget_all();
        assert!(verifier.verify(&key.text, None).await.is_ok());
        assert_eq!(world.directory.reads(), reads + 2);
        gate.open();
    })
    .await;

    assert!(matches!(first, Err(AuthError::Invalid)));
    let later = verifier.verify(wrong[1].key.expose(), None).await;
    assert!(matches!(later, Err(AuthError::Invalid)), "the place is free again");
}
