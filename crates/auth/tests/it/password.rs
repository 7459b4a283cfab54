//! Passwords, and what checking one gives away.

use windlass_auth::{
    HashError, PasswordCost, PasswordHash, PasswordHasher, PasswordLengthError, PasswordOptions,
    PasswordVerdict, PlainPassword,
};
use windlass_domain::test_util::CountingEntropy;

fn hasher(memory_kib: u32, passes: u32) -> PasswordHasher {
    let cost = PasswordCost::new(memory_kib, passes).unwrap();
    PasswordHasher::new(PasswordOptions { cost, ..PasswordOptions::default() })
}

fn password(text: &str) -> PlainPassword {
    PlainPassword::new(text).unwrap()
}

async fn verify(
    hasher: &PasswordHasher,
    text: &str,
    stored: Option<&PasswordHash>,
) -> PasswordVerdict {
    hasher.verify(&password(text), stored, &CountingEntropy::default()).await.unwrap()
}

const RIGHT: PasswordVerdict = PasswordVerdict::Right { upgraded: None };

#[tokio::test]
async fn a_password_is_known_again_and_no_other_is() {
    let (hasher, entropy) = (hasher(8, 1), CountingEntropy::default());
    let long = "ä".repeat(1024);
    for text in ["correct horse battery", "            ", long.as_str()] {
        let hash = hasher.hash(&password(text), &entropy).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", hash.as_str());
        assert_eq!(verify(&hasher, text, Some(&hash)).await, RIGHT);
        for other in [text.to_uppercase(), format!("!{text}").chars().take(1024).collect()] {
            if other != text {
                assert_eq!(verify(&hasher, &other, Some(&hash)).await, PasswordVerdict::Wrong);
            }
        }
    }
}

#[tokio::test]
async fn the_same_password_is_never_stored_twice_alike() {
    let (hasher, entropy) = (hasher(8, 1), CountingEntropy::default());
    let one = hasher.hash(&password("correct horse"), &entropy).await.unwrap();
    let other = hasher.hash(&password("correct horse"), &entropy).await.unwrap();
    assert_ne!(one, other);
}

#[test]
fn a_password_has_12_to_1024_characters() {
    for text in ["", "elevenchars", &"a".repeat(1025)] {
        let refused = PlainPassword::new(text).map(|_| ());
        assert_eq!(refused, Err(PasswordLengthError));
        assert_eq!(PasswordLengthError.to_string(), "must be 12 to 1024 characters long");
    }
    for text in ["twelve chars", "größter Ärger", &"ü".repeat(1024)] {
        assert!(PlainPassword::new(text).is_ok(), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_account_costs_what_a_wrong_password_costs() {
    let entropy = CountingEntropy::default();
    let today = hasher(64, 3);
    let cheaper = hasher(24, 1).hash(&password("correct horse"), &entropy).await.unwrap();
    let same = today.hash(&password("correct horse"), &entropy).await.unwrap();

    let mut costs = Vec::new();
    for stored in [None, Some(&same), Some(&cheaper)] {
        let (computed, blocks) = (today.computed(), today.blocks());
        let verdict = verify(&today, "wrong password", stored).await;
        assert_eq!(verdict, PasswordVerdict::Wrong);
        costs.push((today.computed() - computed, today.blocks() - blocks));
    }
    assert_eq!(costs[0], (1, 64 * 3));
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

#[tokio::test]
async fn a_password_is_hashed_anew_when_the_cost_has_risen_and_only_then() {
    let entropy = CountingEntropy::default();
    let (cheap, dear) = (hasher(8, 1), hasher(16, 2));
    let old = cheap.hash(&password("correct horse"), &entropy).await.unwrap();

    assert_eq!(verify(&dear, "wrong password", Some(&old)).await, PasswordVerdict::Wrong);
    let PasswordVerdict::Right { upgraded: Some(new) } =
        verify(&dear, "correct horse", Some(&old)).await
    else {
        panic!("not upgraded")
    };
    assert!(new.as_str().starts_with("$argon2id$v=19$m=16,t=2,p=1$"), "{}", new.as_str());
    assert_eq!(verify(&dear, "correct horse", Some(&new)).await, RIGHT);
    assert_eq!(verify(&cheap, "correct horse", Some(&new)).await, RIGHT);
}

#[tokio::test]
async fn a_damaged_hash_is_a_fault_and_not_a_wrong_password() {
    let hasher = hasher(8, 1);
    for stored in ["", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$04$abcdefghijklmnopqrstuu"] {
        let stored = PasswordHash::from(stored.to_owned());
        let entropy = CountingEntropy::default();
        let failed = hasher.verify(&password("correct horse"), Some(&stored), &entropy).await;
        assert!(matches!(failed, Err(HashError::Failed(_))), "{stored:?}: {failed:?}");
    }
}

#[tokio::test]
async fn nothing_that_can_be_printed_shows_a_password_or_its_hash() {
    let (hasher, entropy) = (hasher(8, 1), CountingEntropy::default());
    let plain = password("correct horse");
    let hash = hasher.hash(&plain, &entropy).await.unwrap();
    let verdict = PasswordVerdict::Right { upgraded: Some(hash.clone()) };

    let printed = format!("{plain:?} {hash:?} {verdict:?} {hasher:?} {:?}", Some(&hash));
    assert!(!printed.contains("horse") && !printed.contains("argon2"), "{printed}");
}
