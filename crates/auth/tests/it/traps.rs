//! What others have fallen for, about keys.

use proptest::{prelude::*, sample::Index};
use windlass_auth::{AuthError, KeyFormat, PlainKey, Scope};
use windlass_domain::OsEntropy;

use crate::support::{World, request};

/// bcrypt reads 72 bytes, the last of which ends the text; most implementations drop the rest
/// without a word, and then every key that begins alike is the same key.
#[tokio::test]
async fn a_key_is_not_cut_off_after_72_bytes() {
    let world = World::new();
    let stored = "x".repeat(71);
    let hash = world.hasher.hash(&PlainKey::from(stored.clone())).await.unwrap();
    assert!(world.hasher.verify(&PlainKey::from(stored.clone()), &hash).await.unwrap());
    for more in ["x", "y", "xy", &"x".repeat(1000)] {
        let longer = PlainKey::from(format!("{stored}{more}"));
        assert!(!matches!(world.hasher.verify(&longer, &hash).await, Ok(true)), "{more}");
        assert!(world.hasher.hash(&longer).await.is_err(), "nor is one made");
    }
}

/// What can happen to a text on its way.
#[derive(Debug, Clone)]
enum Mishap {
    Mistyped(Index, char),
    Inserted(Index, char),
    Lost(Index),
    Swapped(Index),
    Cut(Index),
    Repeated,
}

fn mishap() -> impl Strategy<Value = Mishap> {
    let character = || prop_oneof![3 => proptest::char::range('0', 'z'), 1 => any::<char>()];
    prop_oneof![
        (any::<Index>(), character()).prop_map(|(at, to)| Mishap::Mistyped(at, to)),
        (any::<Index>(), character()).prop_map(|(at, to)| Mishap::Inserted(at, to)),
        any::<Index>().prop_map(Mishap::Lost),
        any::<Index>().prop_map(Mishap::Swapped),
        any::<Index>().prop_map(Mishap::Cut),
        Just(Mishap::Repeated),
    ]
}

impl Mishap {
    fn befall(&self, text: &str) -> String {
        let mut characters: Vec<char> = text.chars().collect();
        let length = characters.len();
        match self {
            Self::Mistyped(at, to) => characters[at.index(length)] = *to,
            Self::Inserted(at, more) => characters.insert(at.index(length + 1), *more),
            Self::Lost(at) => drop(characters.remove(at.index(length))),
            Self::Swapped(at) => {
                let at = at.index(length - 1);
                characters.swap(at, at + 1);
            }
            Self::Cut(at) => characters.truncate(at.index(length)),
            Self::Repeated => characters.extend(text.chars()),
        }
        characters.into_iter().collect()
    }
}

proptest! {
    #[test]
    fn a_key_to_which_anything_happened_is_refused_without_a_look(mishap in mishap()) {
        let key = KeyFormat::default().generate(&OsEntropy);
        let damaged = mishap.befall(key.key.expose());
        prop_assume!(damaged != key.key.expose());
        let world = World::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let refused = runtime.block_on(world.verifier().verify(&damaged, None));
        prop_assert!(matches!(refused, Err(AuthError::Invalid)));
        prop_assert_eq!((world.directory.reads(), world.hasher.computed()), (0, 0));
    }
}

/// A list that is empty because somebody cleared it must not mean the usual scopes, or all.
#[tokio::test]
async fn a_key_whose_scopes_were_all_taken_away_is_a_key_to_nothing() {
    let world = World::new();
    let key = world.stored_key(request(&[Scope::Admin])).await;
    world.directory.change(&key.lookup, |entry| entry.record.scopes.clear());
    let holder = world.verifier().verify(&key.text, None).await.unwrap();
    assert_eq!(holder.permissions.iter().count(), 0);
}
