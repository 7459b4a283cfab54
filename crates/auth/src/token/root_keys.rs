//! The keys with which first blocks are signed.

use std::{collections::BTreeMap, fmt};

use biscuit_auth::{Algorithm, KeyPair, PrivateKey, PublicKey};
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox, SecretString};
use windlass_domain::Entropy;

use super::vocabulary::hex;

/// An Ed25519 seed has this many bytes.
const KEY: usize = 32;

/// The keys with which first blocks are signed, by number: the one with the highest number signs,
/// and tokens that were signed with any of them are accepted.
///
/// Whoever knows one of them can make tokens, so they belong where only the server can read them.
/// Their text form has a line for each: its number and 64 hexadecimal digits.
pub struct RootKeys {
    keys: BTreeMap<u32, RootKey>,
}

struct RootKey {
    seed: SecretBox<[u8; KEY]>,
    public: PublicKey,
}

/// The text is not that of root keys. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RootKeysError {
    /// A line is something else.
    #[error("line {0} must be a number and 64 hexadecimal digits")]
    Line(usize),
    /// A number is there twice.
    #[error("line {0} repeats the number of another key")]
    Repeated(usize),
    /// There is no key.
    #[error("there is no key")]
    Empty,
}

impl RootKeys {
    /// No key: nothing can be signed, and no token is accepted.
    #[must_use]
    pub fn none() -> Self {
        Self { keys: BTreeMap::new() }
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
        let number = self.newest().map_or(1, |number| number.saturating_add(1));
        let mut seed = Box::new([0; KEY]);
        entropy.fill(&mut *seed);
        if let Some(key) = RootKey::new(seed) {
            self.keys.insert(number, key);
        }
        number
    }

    /// Drops every key but the one that signs: tokens that were signed with another are refused
    /// from now on.
    pub fn retain_newest(&mut self) {
        if let Some(newest) = self.newest() {
            self.keys.retain(|number, _| *number == newest);
        }
    }

    /// Reads the text form; empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &SecretString) -> Result<Self, RootKeysError> {
        let mut keys = BTreeMap::new();
        for (at, line) in text.expose_secret().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (number, key) = parse_line(line).ok_or(RootKeysError::Line(at + 1))?;
            if keys.insert(number, key).is_some() {
                return Err(RootKeysError::Repeated(at + 1));
            }
        }
        if keys.is_empty() { Err(RootKeysError::Empty) } else { Ok(Self { keys }) }
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let lines = self.keys.iter().map(|(number, key)| key.line(*number));
        lines.collect::<String>().into()
    }

    /// The line of the text form that holds one key.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<SecretString> {
        self.keys.get(&number).map(|key| key.line(number).into())
    }

    /// The numbers of all keys, the one that signs last.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().copied()
    }

    /// What others need in order to verify tokens that a key has signed: its public half, such as
    /// `ed25519/` and 64 hexadecimal digits.
    #[must_use]
    pub fn public_key(&self, number: u32) -> Option<String> {
        self.keys.get(&number).map(|key| key.public.print())
    }

    pub(super) fn verifying(&self, number: u32) -> Option<PublicKey> {
        self.keys.get(&number).map(|key| key.public)
    }

    pub(super) fn signing(&self) -> Option<(u32, KeyPair)> {
        let (number, key) = self.keys.last_key_value()?;
        Some((*number, key_pair(key.seed.expose_secret())?))
    }

    fn newest(&self) -> Option<u32> {
        self.keys.last_key_value().map(|(number, _)| *number)
    }
}

impl RootKey {
    fn new(seed: Box<[u8; KEY]>) -> Option<Self> {
        let public = key_pair(&seed)?.public();
        Some(Self { seed: SecretBox::new(seed), public })
    }

    fn line(&self, number: u32) -> String {
        format!("{number} {}\n", hex(self.seed.expose_secret()))
    }
}

/// A pair of keys that nobody has used before, for the next block of a token.
pub(super) fn fresh_key_pair(entropy: &dyn Entropy) -> Option<KeyPair> {
    let mut seed = SecretBox::new(Box::new([0; KEY]));
    entropy.fill(seed.expose_secret_mut());
    key_pair(seed.expose_secret())
}

/// Every seed of the right length makes a pair.
fn key_pair(seed: &[u8; KEY]) -> Option<KeyPair> {
    let private = PrivateKey::from_bytes(seed, Algorithm::Ed25519).ok()?;
    Some(KeyPair::from(&private))
}

fn parse_line(line: &str) -> Option<(u32, RootKey)> {
    let (number, digits) = line.split_once(' ')?;
    if digits.len() != 2 * KEY || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut seed = Box::new([0; KEY]);
    for (at, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some((number.parse().ok()?, RootKey::new(seed)?))
}

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKeys").field("numbers", &self.keys.keys()).finish_non_exhaustive()
    }
}
