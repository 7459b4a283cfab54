//! Secrets at rest: XChaCha20-Poly1305 with named keys.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use windlass_domain::{Entropy, SealedValue};

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a nonce: long enough to be random without ever meeting again.
const NONCE: usize = 24;

/// The keys that open and close secrets. The newest closes, every one opens what it closed.
///
/// Its text form has a line for each key, `<number> <64 hexadecimal digits>`; the greatest number
/// is the newest. Adding a line rotates; a line may go once nothing is sealed with it any more.
pub struct Keyring {
    keys: BTreeMap<u32, SecretBox<[u8; KEY]>>,
}

/// The text is not a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A line has another form.
    #[error("line {0} is not `<number> <64 hexadecimal digits>`")]
    Line(usize),
    /// Two lines have one number.
    #[error("line {0} repeats a number")]
    Repeated(usize),
    /// There must be a key to close with.
    #[error("there is no key in it")]
    Empty,
}

/// A secret could not be opened or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key that it was closed with is not in the keyring.
    #[error("the secret needs key {0}, which is not in the key file")]
    UnknownKey(u32),
    /// It was altered, moved to another place, or closed with another key of the same number.
    #[error("the secret does not open: it was altered, or the key file is another one")]
    Mismatch,
    /// It opened, but is no text.
    #[error("the secret is not valid UTF-8")]
    NotText,
}

impl Keyring {
    /// A keyring with one new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Box::new([0; KEY]);
        entropy.fill(&mut *key);
        Self { keys: BTreeMap::from([(1, SecretBox::new(key))]) }
    }

    /// Reads the text form; empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &SecretString) -> Result<Self, KeyringError> {
        let mut keys = BTreeMap::new();
        for (at, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (number, key) = parse_line(line).ok_or(KeyringError::Line(at + 1))?;
            if keys.insert(number, key).is_some() {
                return Err(KeyringError::Repeated(at + 1));
            }
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self { keys }) }
    }

    /// The text form, to be kept where only the server can read it.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let mut text = String::new();
        for (number, key) in &self.keys {
            // Writing to a string cannot fail.
            let _ = write!(text, "{number} ");
            for byte in key.expose_secret() {
                let _ = write!(text, "{byte:02x}");
            }
            text.push('\n');
        }
        text.into()
    }

    /// Closes a value so that it opens only together with the same `bound_to`.
    pub(crate) fn seal(
        &self,
        bound_to: &str,
        value: &SecretString,
        entropy: &dyn Entropy,
    ) -> Result<SealedValue, SealError> {
        let (&key_id, key) = self.keys.last_key_value().ok_or(SealError::UnknownKey(0))?;
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: value.expose_secret().as_bytes(), aad: bound_to.as_bytes() };
        let sealed = XChaCha20Poly1305::new(key.expose_secret().into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError::Mismatch)?;
        Ok(SealedValue { key_id, bytes: [&nonce[..], &sealed].concat() })
    }

    /// Opens a value.
    pub(crate) fn open(
        &self,
        bound_to: &str,
        sealed: &SealedValue,
    ) -> Result<SecretString, SealError> {
        let key = self.keys.get(&sealed.key_id).ok_or(SealError::UnknownKey(sealed.key_id))?;
        let (nonce, sealed) =
            sealed.bytes.split_first_chunk::<NONCE>().ok_or(SealError::Mismatch)?;
        let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
        let opened = XChaCha20Poly1305::new(key.expose_secret().into())
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SealError::Mismatch)?;
        String::from_utf8(opened).map(Into::into).map_err(|_| SealError::NotText)
    }
}

fn parse_line(line: &str) -> Option<(u32, SecretBox<[u8; KEY]>)> {
    let (number, digits) = line.split_once(' ')?;
    if digits.len() != 2 * KEY || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = Box::new([0; KEY]);
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some((number.parse().ok()?, SecretBox::new(key)))
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.keys.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};
    use windlass_domain::test_util::CountingEntropy;

    use super::{Keyring, KeyringError, SealError};

    #[test]
    fn a_value_opens_only_in_its_own_place() {
        let entropy = CountingEntropy::default();
        let keyring = Keyring::generate(&entropy);
        let value = SecretString::from("päss\nword ");
        let sealed = keyring.seal("here", &value, &entropy).unwrap();

        assert_eq!(keyring.open("here", &sealed).unwrap().expose_secret(), "päss\nword ");
        assert_eq!(keyring.open("there", &sealed).unwrap_err(), SealError::Mismatch);
        assert!(!format!("{sealed:?} {keyring:?}").contains("word"));
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let entropy = CountingEntropy::default();
        let keyring = Keyring::generate(&entropy);
        let sealed = keyring.seal("here", &SecretString::from("secret"), &entropy).unwrap();
        for at in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[at] ^= 1;
            assert_eq!(keyring.open("here", &altered).unwrap_err(), SealError::Mismatch);
        }
    }

    #[test]
    fn after_a_rotation_old_values_open_and_new_ones_use_the_new_key() {
        let entropy = CountingEntropy::default();
        let old = Keyring::generate(&entropy);
        let sealed = old.seal("here", &SecretString::from("secret"), &entropy).unwrap();
        let new_line = format!("2 {}\n", "ab".repeat(32));
        let text = format!("{}{new_line}", old.to_text().expose_secret());
        let rotated = Keyring::parse(&text.into()).unwrap();

        assert_eq!(rotated.open("here", &sealed).unwrap().expose_secret(), "secret");
        let resealed = rotated.seal("here", &SecretString::from("secret"), &entropy).unwrap();
        assert_eq!(resealed.key_id, 2);
        let only_new = Keyring::parse(&new_line.into()).unwrap();
        assert_eq!(only_new.open("here", &sealed).unwrap_err(), SealError::UnknownKey(1));
    }

    #[test]
    fn a_damaged_key_file_is_refused_with_its_line() {
        let parse = |text: &str| Keyring::parse(&text.into()).unwrap_err();
        let good = format!("1 {}", "0".repeat(64));
        assert_eq!(parse("# nothing\n"), KeyringError::Empty);
        assert_eq!(parse(&format!("{good}\n2 xyz")), KeyringError::Line(2));
        assert_eq!(parse(&format!("{good}\n{good}")), KeyringError::Repeated(2));
    }
}
