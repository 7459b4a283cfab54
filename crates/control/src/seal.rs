//! Secrets at rest: XChaCha20-Poly1305 with named keys.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret as _, SecretString};
use windlass_auth::{NumberedKeys, NumberedKeysError};
use windlass_domain::{Entropy, SealedValue};

/// Bytes of a nonce: long enough to be random without ever meeting again.
const NONCE: usize = 24;

/// The keys that open and close secrets. The newest closes, every one opens what it closed: a key
/// may go once nothing is sealed with it any more.
#[derive(Debug)]
pub struct Keyring(NumberedKeys);

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
        let mut keys = NumberedKeys::none();
        keys.rotate(entropy);
        Self(keys)
    }

    /// Reads the text form; empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &SecretString) -> Result<Self, NumberedKeysError> {
        NumberedKeys::parse(text).map(Self)
    }

    /// The text form, to be kept where only the server can read it.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        self.0.to_text()
    }

    /// Closes a value so that it opens only together with the same `bound_to`.
    pub(crate) fn seal(
        &self,
        bound_to: &str,
        value: &SecretString,
        entropy: &dyn Entropy,
    ) -> Result<SealedValue, SealError> {
        let (key_id, key) = self.0.newest().ok_or(SealError::UnknownKey(0))?;
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: value.expose_secret().as_bytes(), aad: bound_to.as_bytes() };
        let sealed = XChaCha20Poly1305::new(key.into())
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
        let key = self.0.get(sealed.key_id).ok_or(SealError::UnknownKey(sealed.key_id))?;
        let (nonce, sealed) =
            sealed.bytes.split_first_chunk::<NONCE>().ok_or(SealError::Mismatch)?;
        let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
        let opened = XChaCha20Poly1305::new(key.into())
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SealError::Mismatch)?;
        String::from_utf8(opened).map(Into::into).map_err(|_| SealError::NotText)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};
    use windlass_domain::test_util::CountingEntropy;

    use super::{Keyring, SealError};

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
}
