//! The text of keys.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use windlass_auth::KeyFormat;
use windlass_domain::{Entropy, OsEntropy, test_util::CountingEntropy};

/// Gives the bytes it was made with, over and over.
struct Bytes(Vec<u8>, AtomicUsize);

impl Entropy for Bytes {
    fn fill(&self, buf: &mut [u8]) {
        for byte in buf {
            *byte = self.0[self.1.fetch_add(1, Ordering::Relaxed) % self.0.len()];
        }
    }
}

fn key(bytes: Vec<u8>) -> String {
    let new = KeyFormat::default().generate(&Bytes(bytes, AtomicUsize::new(0)));
    new.key.expose().to_owned()
}

fn entropy() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 28)
}

proptest! {
    #[test]
    fn every_key_is_recognised_and_names_its_row(bytes in entropy(), prefix in "[a-z0-9]{1,12}") {
        let format = KeyFormat::with_prefix(prefix.as_str()).unwrap();
        let new = format.generate(&Bytes(bytes, AtomicUsize::new(0)));
        let text = new.key.expose();

        prop_assert_eq!(format.parse(text).unwrap().lookup, &new.lookup);
        prop_assert!(text.starts_with(&new.display_prefix));
        prop_assert!(new.display_prefix.len() < prefix.len() + 1 + new.lookup.len());
        prop_assert!(text.len() < 72, "bcrypt would not see the end");
    }

    #[test]
    fn different_randomness_gives_different_keys(one in entropy(), other in entropy()) {
        prop_assert_eq!(key(one.clone()) == key(other.clone()), one == other);
    }

    #[test]
    fn one_changed_character_is_refused(bytes in entropy(), at: prop::sample::Index, to: char) {
        let mut characters: Vec<char> = key(bytes).chars().collect();
        let at = at.index(characters.len());
        prop_assume!(characters[at] != to);
        characters[at] = to;
        let changed: String = characters.into_iter().collect();

        prop_assert_eq!(KeyFormat::default().parse(&changed), None);
    }

    #[test]
    fn one_mistyped_digit_is_refused(bytes in entropy(), at: prop::sample::Index, to in "[0-9A-Za-z]") {
        let mut text = key(bytes);
        let at = at.index(text.len());
        prop_assume!(text[at..=at] != to);
        text.replace_range(at..=at, &to);

        prop_assert_eq!(KeyFormat::default().parse(&text), None);
    }

    #[test]
    fn a_part_of_a_key_is_refused_and_so_is_more_than_one(bytes in entropy(), at: prop::sample::Index, more in ".{1,3}") {
        let text = key(bytes);
        let format = KeyFormat::default();
        prop_assert_eq!(format.parse(&text[..at.index(text.len())]), None);
        for longer in [format!("{text}{more}"), format!("{more}{text}")] {
 prop_assert_eq!(format.parse(&longer), None);
 }
    }

    #[test]
    fn no_text_panics(text in "\\PC*|wls_.{0,60}|wls_[0-9A-Za-z]{11}_.{20,40}") {
        let _ = KeyFormat::default().parse(&text);
    }
}

#[test]
fn keys_look_like_this() {
    let entropy = CountingEntropy::default();
    let format = KeyFormat::default();
    let _ = format.generate(&entropy);
    let new = format.generate(&entropy);

    assert_eq!(new.key.expose(), "wls_00000000002_0000000000000000000000000032Rkhyt");
    assert_eq!(new.lookup, "00000000002");
    assert_eq!(new.display_prefix, "wls_00000000");
}

#[test]
fn keys_of_another_prefix_are_refused() {
    let text = KeyFormat::with_prefix("nxs").unwrap().generate(&OsEntropy).key;
    assert_eq!(KeyFormat::default().parse(text.expose()), None);
}

#[test]
fn prefixes_that_would_blur_the_form_are_refused() {
    for prefix in ["", "a_b", "WLS", "ключ", "a b", "abcdefghijklm"] {
        assert!(KeyFormat::with_prefix(prefix).is_err(), "{prefix}");
    }
}

#[test]
fn a_huge_text_is_refused_at_once() {
    assert_eq!(KeyFormat::default().parse(&"wls_".repeat(1 << 22)), None);
}
