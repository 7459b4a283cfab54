//! Root keys as text.

use secrecy::ExposeSecret as _;
use windlass_auth::{NumberedKeysError, RootKeys};
use windlass_domain::test_util::CountingEntropy;

use super::support::secret;

#[test]
fn root_keys_survive_their_text_form() {
    let entropy = CountingEntropy::default();
    let mut keys = RootKeys::generate(&entropy);
    assert_eq!(keys.rotate(&entropy), 2);
    let read = RootKeys::parse(&keys.to_text()).unwrap();

    assert_eq!(read.numbers().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(read.to_text().expose_secret(), keys.to_text().expose_secret());
    assert!(read.public_key(1).is_some_and(|key| key.starts_with("ed25519/")));
    assert_eq!(read.public_key(3), None);
}

#[test]
fn a_damaged_text_is_refused_with_its_line() {
    let line = |number: u32| format!("{number} {}", "ab".repeat(32));
    for (text, expected) in [
        (String::new(), NumberedKeysError::Empty),
        ("# only a comment".to_owned(), NumberedKeysError::Empty),
        (format!("{}\n2 abc", line(1)), NumberedKeysError::Line(2)),
        (format!("{}\n\n{}", line(1), line(1)), NumberedKeysError::Repeated(3)),
        (format!("one {}", "ab".repeat(32)), NumberedKeysError::Line(1)),
    ] {
        assert_eq!(RootKeys::parse(&secret(&text)).unwrap_err(), expected, "{text}");
    }
}
