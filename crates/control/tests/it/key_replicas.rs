//! A key that is revoked on one server is refused by the others.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use windlass_auth::{MintedKey, Scope, VerifierOptions};
use windlass_control::{Control, ControlError, Presentation, create_api_key, revoke_api_key};

use crate::{
    keys::key,
    support::{Keys, Platform},
};

/// How long a revocation may take to reach another server that hears of it.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn new_key(platform: &Platform) -> MintedKey {
    create_api_key(&platform.control, &platform.owner, key(&[Scope::Read])).await.unwrap()
}

async fn is_refused(control: &Control, key: &MintedKey) -> bool {
    match control.authenticate(Presentation::bearer(key.key.expose())).await {
        Ok(_) => false,
        Err(ControlError::InvalidCredential(_)) => true,
        Err(err) => panic!("{err:?}"),
    }
}

/// How long a server goes on letting a key in.
async fn until_refused(control: &Control, key: &MintedKey, at_most: Duration) -> Duration {
    let begun = Instant::now();
    while !is_refused(control, key).await {
        assert!(begun.elapsed() < at_most, "it is still let in");
        sleep(Duration::from_millis(1)).await;
    }
    begun.elapsed()
}

#[tokio::test]
async fn a_revocation_reaches_another_server_within_a_second_each_time() {
    let platform = Platform::new("replicas").await;
    let (one, first) = platform.replica("one", Keys::default()).await;
    let (other, second) = platform.replica("other", Keys::default()).await;
    for _ in 0..200 {
        let key = new_key(&platform).await;
        assert!(!is_refused(&one, &key).await && !is_refused(&other, &key).await);

        revoke_api_key(&one, &platform.owner, key.record.id).await.unwrap();
        assert!(is_refused(&one, &key).await, "here at once");
        until_refused(&other, &key, AT_ONCE).await;
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_server_that_hears_nothing_refuses_a_revoked_key_when_it_asks_again() {
    let platform = Platform::new("deaf_replica").await;
    if !platform.store.is_postgres() {
        // An SQLite file belongs to one server.
        return;
    }
    let cache_ttl = Duration::from_secs(2);
    let verified = VerifierOptions { cache_ttl, ..VerifierOptions::default() };
    let (deaf, server) = platform.replica("deaf", Keys { verified, ..Keys::default() }).await;
    let keys = [new_key(&platform).await, new_key(&platform).await];
    for key in &keys {
        assert!(!is_refused(&deaf, key).await);
    }
    platform.store.cut_signals().await;

    for key in &keys {
        revoke_api_key(&platform.control, &platform.owner, key.record.id).await.unwrap();
        until_refused(&deaf, key, cache_ttl + AT_ONCE).await;
    }
    server.stop().await;
}
