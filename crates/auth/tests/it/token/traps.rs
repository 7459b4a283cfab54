//! What others have fallen for.

use biscuit_auth::{
    Algorithm, Biscuit, BlockBuilder, KeyPair, UnverifiedBiscuit, builder::BlockBuilder as Block,
};
use windlass_auth::{Narrowing, NewToken, Permission, Principal, TokenError, TokenRecord, inspect};
use windlass_domain::{Id, UserId};

use super::support::{TokenWorld, base64, everything, may};

const READ: &str = "right({\"projects:read\"});";

async fn holder(world: &TokenWorld, token: &Biscuit) -> Principal {
    (*world.verifier().verify(&base64(token), None).await.unwrap()).clone()
}

async fn is_refused(world: &TokenWorld, text: &str) -> bool {
    matches!(world.verifier().verify(text, None).await, Err(TokenError::Invalid))
}

fn block(code: &str) -> Block {
    BlockBuilder::new().code(code).unwrap()
}

#[tokio::test]
async fn rights_in_an_appended_block_change_nothing() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    for code in [
        "right({\"projects:write\", \"projects:read\"});",
        "wish({\"projects:write\"}); right($w) <- wish($w);",
        "right({\"projects:write\"}) <- operation(\"write\");",
        "trusting previous; right({\"projects:write\"}) <- account($a);",
    ] {
        let token = world.signed(READ).append(block(code)).unwrap();
        let holder = holder(&world, &token).await;
        assert!(may(&holder, Permission::ProjectsRead, project));
        assert!(!may(&holder, Permission::ProjectsWrite, project), "{code}");
    }
}

#[tokio::test]
async fn facts_in_an_appended_block_make_nobody_somebody_else() {
    let world = TokenWorld::new();
    let stranger = UserId::generate(world.fx());
    let code = format!(
        "account(\"org_00000000000000000000000000\"); user(\"{stranger}\"); \
         token(\"tok_00000000000000000000000000\"); other(\"usr_00000000000000000000000000\"); user($u) <- other($u);"
    );
    let token = world.signed(READ).append(block(&code)).unwrap();
    let holder = holder(&world, &token).await;
    assert_eq!(
        (holder.organization_id, holder.user_id),
        (world.world.organization, world.world.user)
    );
}

#[tokio::test]
async fn facts_in_an_appended_block_do_not_satisfy_the_checks_before_it() {
    let world = TokenWorld::new();
    let (ours, target) = world.project();
    let (_, other) = world.project();
    let request = NewToken { is_read_only: true, ..everything() };
    let narrowing = Narrowing { projects: Some(vec![ours]), ..Narrowing::default() };
    let parent = world.narrow(&world.stored(request).text, &narrowing);
    let code = format!("operation(\"read\"); project(\"{ours}\"); time(2020-01-01T00:00:00Z);");
    let child = UnverifiedBiscuit::from_base64(&parent).unwrap().append(block(&code)).unwrap();

    let holder = world.verifier().verify(&child.to_base64().unwrap(), None).await.unwrap();
    assert!(may(&holder, Permission::ProjectsRead, target));
    assert!(!may(&holder, Permission::ProjectsWrite, target));
    assert!(!may(&holder, Permission::ProjectsRead, other));
}

#[tokio::test]
async fn a_third_party_block_grants_nothing_whoever_signs_it() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let other = KeyPair::new();
    let token = world.signed(READ);
    let request = token.third_party_request().unwrap();
    let rights = block("right({\"projects:write\"}); user(\"usr_00000000000000000000000000\");");
    let rights = request.create_block(&other.private(), rights).unwrap();
    let token = token.append_third_party(other.public(), rights).unwrap();

    let holder = holder(&world, &token).await;
    assert!(may(&holder, Permission::ProjectsRead, project));
    assert!(!may(&holder, Permission::ProjectsWrite, project));
    assert_eq!(holder.user_id, world.world.user);
}

#[tokio::test]
async fn a_third_party_block_signed_by_a_wrong_key_is_refused() {
    let world = TokenWorld::new();
    let (expected, wrong) = (KeyPair::new(), KeyPair::new());
    let token = world.signed(READ);
    let request = token.third_party_request().unwrap();
    let signed = request.create_block(&wrong.private(), block("seen(1);")).unwrap();
    // The block says that it was signed with the expected key.
    let mut bytes = signed.serialize().unwrap();
    let key = wrong.public().to_bytes();
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    bytes[at..at + key.len()].copy_from_slice(&expected.public().to_bytes());

    let token = UnverifiedBiscuit::from_base64(base64(&token)).unwrap();
    let forged = token.append_third_party(&bytes).unwrap();
    assert!(is_refused(&world, &forged.to_base64().unwrap()).await);
}

#[tokio::test]
async fn a_third_party_block_made_for_another_token_is_refused() {
    let world = TokenWorld::new();
    let other = KeyPair::new();
    let (ours, theirs) = (world.signed(READ), world.signed(READ));
    let request = theirs.third_party_request().unwrap();
    let signed = request.create_block(&other.private(), block("seen(1);")).unwrap();
    let token = UnverifiedBiscuit::from_base64(base64(&ours)).unwrap();
    let moved = token.append_third_party(&signed.serialize().unwrap()).unwrap();
    assert!(is_refused(&world, &moved.to_base64().unwrap()).await);
}

#[tokio::test]
async fn a_check_may_trust_a_third_party_for_itself() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let other = KeyPair::new();
    let check = format!("check if approved(true) trusting {};", other.public().print());
    let token = world.signed(READ).append(block(&check)).unwrap();
    assert!(!may(&holder(&world, &token).await, Permission::ProjectsRead, project));

    let request = token.third_party_request().unwrap();
    let approval = request.create_block(&other.private(), block("approved(true);")).unwrap();
    let token = token.append_third_party(other.public(), approval).unwrap();
    assert!(may(&holder(&world, &token).await, Permission::ProjectsRead, project));
}

#[tokio::test]
async fn a_revoked_ancestor_takes_all_its_descendants_along() {
    let world = TokenWorld::new();
    let parent = world.stored(everything());
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let child = world.narrow(&parent.text, &narrowing);
    let sibling = world.narrow(&parent.text, &narrowing);
    let grandchild = world.narrow(&child, &narrowing);

    let revocation_id = &inspect(&child).unwrap().blocks[1].revocation_id;
    world.directory.revoke_block(revocation_id);
    for (text, expected) in
        [(&parent.text, false), (&sibling, false), (&child, true), (&grandchild, true)]
    {
        assert_eq!(is_refused(&world, text).await, expected);
    }

    world.revoke(parent.id);
    for text in [&parent.text, &child, &sibling, &grandchild] {
        assert!(is_refused(&world, text).await);
    }
}

#[tokio::test]
async fn a_block_cannot_be_taken_off_again() {
    let world = TokenWorld::new();
    let parent = world.stored(everything());
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let child = world.narrow(&parent.text, &narrowing);
    let child = UnverifiedBiscuit::from_base64(&child).unwrap().to_vec().unwrap();
    let bytes = without_field(&child, 3);
    let stripped = UnverifiedBiscuit::from(&bytes).unwrap().to_base64().unwrap();
    assert!(is_refused(&world, &stripped).await);
}

/// A message in the format of protocol buffers without the fields of one number. Every number and
/// length here fits into two bytes.
fn without_field(mut message: &[u8], number: u8) -> Vec<u8> {
    let mut kept = Vec::new();
    while let [tag, rest @ ..] = message {
        let length = match (tag & 7, rest) {
            (0, _) => 2,
            (2, [low, high, ..]) if 0x80 <= *low => {
                3 + usize::from(low & 0x7f) + (usize::from(*high) << 7)
            }
            (2, [low, ..]) => 2 + usize::from(*low),
            _ => panic!("an unknown kind of field"),
        };
        let (field, rest) = message.split_at(length);
        if tag >> 3 != number {
            kept.extend_from_slice(field);
        }
        message = rest;
    }
    kept
}

#[tokio::test]
async fn a_signature_that_could_be_rewritten_is_refused() {
    // With (r, n - s) in place of (r, s) an ECDSA signature is as valid, and the block would have
    // another revocation identifier.
    let world = TokenWorld::new();
    let ambiguous = KeyPair::new_with_algorithm(Algorithm::Secp256r1);
    let token = world.signed(READ).append_with_keypair(&ambiguous, BlockBuilder::new()).unwrap();
    assert!(is_refused(&world, &base64(&token)).await);
}

#[tokio::test]
async fn another_root_key_of_the_same_number_opens_nothing() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let source = &inspect(&token.text).unwrap().blocks[0].source;
    let build = |number: Option<u32>, key: &KeyPair| {
        let mut builder = Biscuit::builder().code(source).unwrap();
        if let Some(number) = number {
            builder = builder.root_key_id(number);
        }
        base64(&builder.build(key).unwrap())
    };
    let own = KeyPair::new();
    for (number, key) in [(Some(1), &own), (Some(2), &world.root()), (None, &world.root())] {
        assert!(is_refused(&world, &build(number, key)).await);
    }
    assert_eq!(world.directory.reads(), 0);
}

#[tokio::test]
async fn a_token_that_was_never_stored_opens_nothing() {
    // Even a root key in wrong hands makes no tokens.
    let world = TokenWorld::new();
    let minted = world.mint(everything(), windlass_auth::Role::Owner).unwrap();
    assert!(is_refused(&world, minted.token.expose()).await);

    let token = world.stored(everything());
    let source = &inspect(&token.text).unwrap().blocks[0].source;
    let again = Biscuit::builder().code(source).unwrap().root_key_id(1).build(&world.root());
    assert!(is_refused(&world, &base64(&again.unwrap())).await, "another revocation identifier");
    assert!(!is_refused(&world, &token.text).await);
}

#[tokio::test]
async fn a_record_of_somebody_else_does_not_fit() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let stranger = TokenRecord { created_by: Id::generate(world.fx()), ..token.record.clone() };
    world.directory.store(stranger);
    assert!(is_refused(&world, &token.text).await);
}
