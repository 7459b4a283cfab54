//! Passwords in the clear and as they are stored. Neither is ever printed.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A password in the clear, of 12 to 1024 characters. It is wiped when dropped.
#[derive(Clone)]
pub struct PlainPassword(SecretString);

/// The text is too short or too long to be anybody's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {} to {} characters long", PlainPassword::MIN, PlainPassword::MAX)]
pub struct PasswordLengthError;

/// What is stored of a password: an argon2id hash with its parameters, as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PlainPassword {
    /// Fewest characters.
    pub const MIN: usize = 12;
    /// Most characters.
    pub const MAX: usize = 1024;

    /// Takes a text as a password if it has the length of one. Which characters it has is left to
    /// whoever has to remember them.
    pub fn new(text: impl Into<SecretString>) -> Result<Self, PasswordLengthError> {
        let text = text.into();
        let characters = text.expose_secret().chars().take(Self::MAX + 1).count();
        let is_right = (Self::MIN..=Self::MAX).contains(&characters);
        if is_right { Ok(Self(text)) } else { Err(PasswordLengthError) }
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl PasswordHash {
    /// The text, to be stored where only the server can read it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    /// From the stored form. One that is damaged is noticed when a password is checked against it.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for PlainPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainPassword(…)")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hash would let a reader of logs guess at the password.
        f.write_str("PasswordHash(…)")
    }
}
