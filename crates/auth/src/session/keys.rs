//! The keys with which sessions are signed.

use std::fmt;

use secrecy::SecretString;
use windlass_domain::Entropy;

use crate::numbered_keys::{KEY, NumberedKeys, NumberedKeysError};

/// The keys with which sessions are signed, by number: the one with the highest number signs, and
/// what any of them has signed is accepted.
///
/// There is no built-in one. Whoever knows one of them can be anybody who is signed in, so they
/// belong where only the server can read them. Their text form has a line for each: its number and
/// 64 hexadecimal digits.
pub struct SessionKeys(NumberedKeys);

impl SessionKeys {
    /// No key: nothing can be signed, and no session is accepted.
    #[must_use]
    pub fn none() -> Self {
        Self(NumberedKeys::none())
    }

    /// One new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut keys = Self::none();
        keys.rotate(entropy);
        keys
    }

    /// Adds a new key, which signs from now on, and returns its number.
    pub fn rotate(&mut self, entropy: &dyn Entropy) -> u32 {
        self.0.rotate(entropy)
    }

    /// Drops every key but the one that signs: sessions that were signed with another end.
    pub fn retain_newest(&mut self) {
        self.0.retain_newest();
    }

    /// Reads the text form; empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &SecretString) -> Result<Self, NumberedKeysError> {
        NumberedKeys::parse(text).map(Self)
    }

    /// The line of the text form that holds one key.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<SecretString> {
        self.0.line(number)
    }

    /// The numbers of all keys, the one that signs last.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.numbers()
    }

    pub(super) fn verifying(&self, number: u32) -> Option<&[u8; KEY]> {
        self.0.get(number)
    }

    pub(super) fn signing(&self) -> Option<(u32, &[u8; KEY])> {
        self.0.newest()
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<u32> = self.numbers().collect();
        f.debug_struct("SessionKeys").field("numbers", &numbers).finish_non_exhaustive()
    }
}
