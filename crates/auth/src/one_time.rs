//! Secrets that open something once: an invitation, a program's login, an owner's account.

use std::fmt::{self, Write as _};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use windlass_domain::Entropy;

use crate::base62;

/// 256 bits.
const DIGITS: usize = 43;
/// 32 bits: tells a real one from a mistyped one, and to those who look for leaked secrets.
const CHECKSUM_DIGITS: usize = 6;

/// A new secret that works once. It is wiped when dropped, and only [`OneTimeSecret::expose`] shows
/// it.
pub struct OneTimeSecret(SecretString);

/// What is stored of such a secret, and by what it is found: its SHA-256 in hexadecimal digits.
/// With 256 bits of randomness in it, a fast hash is enough: there is nothing to guess.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeHash(String);

impl OneTimeSecret {
    /// With this prefix, people and scanners know one when they see it.
    const INVITATION: &'static str = "wli_";
    const LOGIN: &'static str = "wlc_";
    const SET_UP: &'static str = "wlo_";

    /// One with which a person claims the account of an installation's owner.
    #[must_use]
    pub fn for_set_up(entropy: &dyn Entropy) -> Self {
        Self::generate(Self::SET_UP, entropy)
    }

    pub(crate) fn for_invitation(entropy: &dyn Entropy) -> Self {
        Self::generate(Self::INVITATION, entropy)
    }

    pub(crate) fn for_login(entropy: &dyn Entropy) -> Self {
        Self::generate(Self::LOGIN, entropy)
    }

    fn generate(prefix: &str, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 32];
        entropy.fill(&mut random);
        let mut text = prefix.to_owned();
        text.extend(base62::encode::<DIGITS>(&random).map(char::from));
        let checksum = crc32fast::hash(text.as_bytes()).to_be_bytes();
        text.extend(base62::encode::<CHECKSUM_DIGITS>(&checksum).map(char::from));
        Self(text.into())
    }

    /// The secret itself. It belongs to whoever is meant to present it, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> OneTimeHash {
        OneTimeHash::of(self.expose())
    }
}

impl OneTimeHash {
    /// By what a presented text is found; by that of a text that is no secret, nothing is.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        let digest = Sha256::digest(presented);
        Self(digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    /// Trusts a stored value.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeSecret")
    }
}

impl fmt::Debug for OneTimeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeHash")
    }
}
