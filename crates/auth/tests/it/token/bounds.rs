//! What a token may cost.

use biscuit_auth::BlockBuilder;
use proptest::prelude::*;
use windlass_auth::{
    NarrowError, Narrowing, OutOfBudget, Permission, TokenError, attenuate, inspect,
};

use super::support::{TokenWorld, base64, everything, may};

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_unread() {
    let world = TokenWorld::new();
    let oversized = "A".repeat(8 * 1024 + 1);
    let refused = world.verifier().verify(&oversized, None).await;
    assert!(matches!(refused, Err(TokenError::Invalid)));
    assert_eq!(world.directory.reads(), 0);
}

#[tokio::test]
async fn a_token_has_at_most_sixteen_blocks() {
    let world = TokenWorld::new();
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let mut text = world.stored(everything()).text;
    for _ in 1..16 {
        text = world.narrow(&text, &narrowing);
    }
    assert!(world.verifier().verify(&text, None).await.is_ok());
    let refused = attenuate(&text, &narrowing, &world.world.entropy);
    assert!(matches!(refused, Err(NarrowError::TooLong)), "{refused:?}");

    let mut token = world.signed("right({\"projects:read\"});");
    for _ in 0..16 {
        token = token.append(BlockBuilder::new()).unwrap();
    }
    let undecided = world.verifier().verify(&base64(&token), None).await;
    assert!(matches!(undecided, Err(TokenError::Undecided(OutOfBudget))), "not a refusal");
}

/// Each of these would keep the engine busy for longer than anybody would wait, or fill memory;
/// every holder can append it.
#[tokio::test]
async fn what_would_take_too_long_is_not_begun() {
    let world = TokenWorld::new();
    let facts = (0..200).fold(String::new(), |source, n| source + &format!("a({n});"));
    for code in [
        format!("{facts} check if a($v), a($w), a($x), a($y), a($z), $v + $w + $x + $y + $z == 1;"),
        format!("{facts} b($x, $y, $z) <- a($x), a($y), a($z);"),
        "a(1); a(2); n(0); n($y) <- n($x), a($y), $x + 1 == $y;".to_owned(),
        "check if project($p), $p.matches(\"((a{100}){100}){100}\");".to_owned(),
    ] {
        let block = BlockBuilder::new().code(&code).unwrap();
        let token = world.signed("right({\"projects:read\"});").append(block).unwrap();
        let undecided = world.verifier().verify(&base64(&token), None).await;
        assert!(matches!(undecided, Err(TokenError::Undecided(OutOfBudget))), "{code}");
    }
    assert_eq!(world.directory.reads(), 0);
}

#[tokio::test]
async fn rules_that_end_are_evaluated() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let code = "mine($p) <- permission($p), operation(\"read\"); check if mine(\"logs:read\");";
    let block = BlockBuilder::new().code(code).unwrap();
    let rights = "right({\"logs:read\", \"projects:read\"});";
    let token = world.signed(rights).append(block).unwrap();
    let holder = world.verifier().verify(&base64(&token), None).await.unwrap();
    assert!(may(&holder, Permission::LogsRead, project));
    assert!(!may(&holder, Permission::ProjectsRead, project));
}

#[tokio::test]
async fn a_check_that_makes_no_sense_is_a_refusal() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    for code in ["check if permission($p), $p + 1 == 2;", "check if project($p), 1 / 0 == 1;"] {
        let block = BlockBuilder::new().code(code).unwrap();
        let token = world.signed("right({\"projects:read\"});").append(block).unwrap();
        let holder = world.verifier().verify(&base64(&token), None).await.unwrap();
        assert!(!may(&holder, Permission::ProjectsRead, project), "{code}");
    }
}

#[tokio::test]
async fn every_altered_character_is_noticed() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let text = world.narrow(&token.text, &narrowing);
    let verifier = world.verifier();
    for (at, old) in text.char_indices() {
        let new = if old == 'A' { 'B' } else { 'A' };
        let altered = format!("{}{new}{}", &text[..at], &text[at + 1..]);
        let refused = verifier.verify(&altered, None).await;
        assert!(matches!(refused, Err(TokenError::Invalid)), "character {at}: {refused:?}");
    }
    for length in 0..text.len() {
        assert!(verifier.verify(&text[..length], None).await.is_err(), "{length} characters");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[A-Za-z0-9_=-]{90,600}|\\PC{0,300}") {
        let _ = inspect(&text);
    }
}
