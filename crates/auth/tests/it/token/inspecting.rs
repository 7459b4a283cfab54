//! Reading tokens of any origin.

use windlass_auth::{MalformedToken, Narrowing, Permission, inspect, looks_like_token, seal};

use super::support::{TokenWorld, base64, everything, hex, may};

/// As `tokens create --read-only` of nixbuild.net prints it in the documentation of its API.
const NIXBUILD: &str = "EpABCiYKB2FjY291bnQYAyIJCgcIgAgSAhABMg4KDAoCCBsSBggDEgIYABIkCAASIFeRyO2t1bxV2ZlLJKkp4S97nCyAz1ieyrCLv_RzYI0EGkCYCkIllHyVVnfZwyh0zxcKO-iqgtHkkaudYvZE9wL6otfeMe-ATkGh0Gkz_KyLt_YEbt__X5DRJ6Tj_41Z35APIiIKIHmZTFwQzdy2GZadSXRFYscLTHnbb_spQgLonsqos2tv";

#[test]
fn the_token_in_nixbuilds_documentation_is_read() {
    let inspection = inspect(NIXBUILD).unwrap();
    assert_eq!((inspection.root_key, inspection.expires_at), (None, None));
    assert!(!inspection.is_sealed);
    let [block] = &inspection.blocks[..] else { panic!("one block: {inspection:?}") };
    assert_eq!(block.source, "account(1);\ncheck if operation(\"read\");\n");
    assert_eq!(block.external_key, None);
    assert_eq!(block.revocation_id.len(), 128);
}

#[tokio::test]
async fn its_check_lets_one_look_and_nothing_else() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let check = inspect(NIXBUILD).unwrap().blocks[0].source.replace("account(1);", "");
    let rights = "right({\"projects:read\", \"projects:write\"});";
    let text = base64(&world.signed(&format!("{rights}{check}")));

    let holder = world.verifier().verify(&text, None).await.unwrap();
    assert!(may(&holder, Permission::ProjectsRead, project));
    assert!(!may(&holder, Permission::ProjectsWrite, project));
}

#[tokio::test]
async fn a_token_of_somebody_else_opens_nothing_here() {
    let refused = TokenWorld::new().verifier().verify(NIXBUILD, None).await;
    assert!(refused.is_err());
}

#[test]
fn each_block_is_shown_with_what_revokes_it() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let narrowed = world.narrow(&token.text, &narrowing);
    let inspection = inspect(&narrowed).unwrap();

    let [first, second] = &inspection.blocks[..] else { panic!("two blocks") };
    assert_eq!(first.revocation_id, token.record.revocation_id);
    assert_ne!(second.revocation_id, first.revocation_id);
    assert_eq!(second.source, "check if operation(\"read\");\n");
    assert!(!inspection.is_sealed);
    assert!(inspect(seal(&narrowed).unwrap().expose()).unwrap().is_sealed);
}

#[test]
fn a_third_partys_block_names_its_key() {
    let world = TokenWorld::new();
    let token = world.signed("right({\"projects:read\"});");
    let other = biscuit_auth::KeyPair::new();
    let request = token.third_party_request().unwrap();
    let block = biscuit_auth::BlockBuilder::new().fact("seen(1)").unwrap();
    let block = request.create_block(&other.private(), block).unwrap();
    let token = token.append_third_party(other.public(), block).unwrap();

    let inspection = inspect(&base64(&token)).unwrap();
    let expected = format!("ed25519/{}", hex(&other.public().to_bytes()));
    assert_eq!(inspection.blocks[1].external_key, Some(expected));
    assert_eq!(inspection.blocks[1].source, "seen(1);\n");
}

#[test]
fn only_what_could_be_a_token_is_taken_for_one() {
    let world = TokenWorld::new();
    assert!(looks_like_token(NIXBUILD));
    assert!(looks_like_token(&world.stored(everything()).text));
    let key = world.world.format.generate(&world.world.entropy);
    let jwt = format!("{}.{}.{}", "a".repeat(60), "b".repeat(60), "c".repeat(43));
    for other in [key.key.expose(), &jwt, "", "=", &"=".repeat(200), &"ä".repeat(200)] {
        assert!(!looks_like_token(other), "{other}");
        assert_eq!(inspect(other), Err(MalformedToken));
    }
    assert_eq!(inspect(&"A".repeat(200)), Err(MalformedToken));
}
