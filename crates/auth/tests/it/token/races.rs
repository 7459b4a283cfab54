//! Verification while other things happen.

use futures_util::future::{join, join_all};
use windlass_auth::{ApiKeyId, NewToken, RootKeys, TokenError, TokenPurpose};
use windlass_domain::Id;

use super::support::{TokenWorld, everything};

#[tokio::test]
async fn fifty_first_requests_with_one_token_ask_once() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let verifier = world.verifier();
    let gate = world.directory.hold();

    let requests = join_all((0..50).map(|_| verifier.verify(&token.text, None)));
    let (results, ()) = join(requests, async { gate.open() }).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(world.directory.reads(), 1);
}

#[tokio::test]
async fn a_token_that_is_revoked_while_it_is_read_is_not_let_in_afterwards() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let verifier = world.verifier();
    let gate = world.directory.hold();

    let (result, ()) = join(verifier.verify(&token.text, None), async {
        gate.reached().await;
        world.revoke(token.id);
        verifier.forget(token.id);
        gate.open();
    })
    .await;

    assert!(matches!(result, Err(TokenError::Invalid)), "what was read was stale: {result:?}");
    assert!(matches!(verifier.verify(&token.text, None).await, Err(TokenError::Invalid)));
}

#[tokio::test]
async fn a_link_ends_with_the_key_that_made_it_even_while_it_is_read() {
    let world = TokenWorld::new();
    let key: ApiKeyId = Id::generate(world.fx());
    let purpose = TokenPurpose::Link { issuing_key: Some(key) };
    let link = world.stored(NewToken { purpose, ..everything() });
    let verifier = world.verifier();
    assert!(verifier.verify_link(&link.text, None).await.is_ok());

    verifier.forget_all();
    let gate = world.directory.hold();
    let (result, ()) = join(verifier.verify_link(&link.text, None), async {
        gate.reached().await;
        world.directory.change(link.id, |entry| entry.is_revoked = true);
        verifier.forget_issued_by(key);
        gate.open();
    })
    .await;
    assert!(matches!(result, Err(TokenError::Invalid)));
    assert!(matches!(verifier.verify_link(&link.text, None).await, Err(TokenError::Invalid)));
}

#[tokio::test]
async fn a_root_key_that_is_dropped_while_a_token_is_read_opens_nothing() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let verifier = world.verifier();
    let gate = world.directory.hold();

    let (result, ()) = join(verifier.verify(&token.text, None), async {
        gate.reached().await;
        verifier.use_root_keys(RootKeys::generate(&windlass_domain::OsEntropy));
        gate.open();
    })
    .await;
    assert!(matches!(result, Err(TokenError::Invalid)));
}
