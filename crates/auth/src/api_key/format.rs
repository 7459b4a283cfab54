//! The text of an API key: `<prefix>_<look-up id>_<secret><checksum>`.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use windlass_domain::Entropy;

use crate::base62;

/// 64 bits: enough to be unique, public anyway.
const LOOKUP_DIGITS: usize = 11;
/// 160 bits.
const SECRET_DIGITS: usize = 27;
/// 32 bits.
const CHECKSUM_DIGITS: usize = 6;
/// How much of the look-up id is shown where a key is listed.
const SHOWN_DIGITS: usize = 8;
/// Keeps the whole under the 72 bytes that bcrypt can take.
const MAX_PREFIX: usize = 12;

/// How this installation's keys look.
///
/// The checksum lets a mistyped or random text be refused at once, and a secret scanner tell a
/// real key from something that only resembles one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFormat {
    prefix: String,
}

/// A key that was just made and is not stored yet.
#[derive(Debug)]
pub struct NewKey {
    /// The key, to be shown to its owner once.
    pub key: PlainKey,
    /// The public part by which its row is found.
    pub lookup: String,
    /// Its first characters, enough for its owner to know it again.
    pub display_prefix: String,
}

/// A text that has the form of a key; whether there is such a key is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedKey<'a> {
    /// The public part by which the row is found.
    pub lookup: &'a str,
}

/// A key in the clear. It is wiped when dropped, and only [`PlainKey::expose`] shows it.
pub struct PlainKey(SecretString);

/// The text cannot be the prefix of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_PREFIX} lower-case letters or digits")]
pub struct KeyPrefixError;

impl KeyFormat {
    /// Keys that begin with another prefix than the usual one.
    pub fn with_prefix(prefix: impl Into<String>) -> Result<Self, KeyPrefixError> {
        let prefix = prefix.into();
        let is_short = (1..=MAX_PREFIX).contains(&prefix.len());
        let is_plain =
            prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_short && is_plain { Ok(Self { prefix }) } else { Err(KeyPrefixError) }
    }

    /// Makes a new key.
    #[must_use]
    pub fn generate(&self, entropy: &dyn Entropy) -> NewKey {
        let lookup = text(&random::<8, LOOKUP_DIGITS>(entropy));
        let secret = random::<20, SECRET_DIGITS>(entropy);
        let mut key = String::with_capacity(self.length());
        key.extend([&self.prefix, "_", &lookup, "_"]);
        key.extend(secret.map(char::from));
        let checksum = checksum(&key);
        key.extend(checksum.map(char::from));

        let shown: String = lookup.chars().take(SHOWN_DIGITS).collect();
        NewKey { key: key.into(), display_prefix: format!("{}_{shown}", self.prefix), lookup }
    }

    /// Recognises the form of a key, without a look at any secret.
    ///
    /// Costs next to nothing, however long the text is.
    #[must_use]
    pub fn parse<'a>(&self, text: &'a str) -> Option<ParsedKey<'a>> {
        if text.len() != self.length() {
            return None;
        }
        let rest = text.strip_prefix(self.prefix.as_str())?.strip_prefix('_')?;
        let (lookup, rest) = rest.split_at_checked(LOOKUP_DIGITS)?;
        let secret = rest.strip_prefix('_')?;
        let (body, tail) = text.split_at_checked(text.len() - CHECKSUM_DIGITS)?;
        let is_key = lookup.bytes().chain(secret.bytes()).all(|byte| byte.is_ascii_alphanumeric())
            && tail.as_bytes() == checksum(body);
        is_key.then_some(ParsedKey { lookup })
    }

    fn length(&self) -> usize {
        self.prefix.len() + 1 + LOOKUP_DIGITS + 1 + SECRET_DIGITS + CHECKSUM_DIGITS
    }
}

impl Default for KeyFormat {
    /// Keys that begin with `wls_`.
    fn default() -> Self {
        Self { prefix: "wls".to_owned() }
    }
}

fn random<const BYTES: usize, const DIGITS: usize>(entropy: &dyn Entropy) -> [u8; DIGITS] {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes);
    base62::encode(&bytes)
}

fn checksum(body: &str) -> [u8; CHECKSUM_DIGITS] {
    base62::encode(&crc32fast::hash(body.as_bytes()).to_be_bytes())
}

fn text(digits: &[u8]) -> String {
    digits.iter().copied().map(char::from).collect()
}

impl PlainKey {
    /// The key itself. It must go nowhere but to its owner or into a hash.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn secret(&self) -> SecretString {
        self.0.clone()
    }
}

impl From<String> for PlainKey {
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey(hidden)")
    }
}
