//! The keys with which first blocks are signed.

use std::{collections::BTreeMap, fmt};

use biscuit_auth::{Algorithm, KeyPair, PrivateKey, PublicKey};
use secrecy::{ExposeSecret as _, ExposeSecretMut as _, SecretBox, SecretString};
use windlass_domain::Entropy;

use crate::numbered_keys::{KEY, NumberedKeys, NumberedKeysError};

/// The keys with which first blocks are signed, by number: the one with the highest number signs,
/// and tokens that were signed with any of them are accepted.
///
/// Whoever knows one of them can make tokens, so they belong where only the server can read them.
/// Their text form has a line for each: its number and 64 hexadecimal digits.
pub struct RootKeys {
    seeds: NumberedKeys,
    public: BTreeMap<u32, PublicKey>,
}

impl RootKeys {
    /// No key: nothing can be signed, and no token is accepted.
    #[must_use]
    pub fn none() -> Self {
        Self { seeds: NumberedKeys::none(), public: BTreeMap::new() }
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
        let number = self.seeds.rotate(entropy);
        self.public = public_halves(&self.seeds);
        number
    }

    /// Drops every key but the one that signs: tokens that were signed with another are refused
    /// from now on.
    pub fn retain_newest(&mut self) {
        self.seeds.retain_newest();
        self.public = public_halves(&self.seeds);
    }

    /// Reads the text form; empty lines and those that begin with `#` are passed over.
    pub fn parse(text: &SecretString) -> Result<Self, NumberedKeysError> {
        let seeds = NumberedKeys::parse(text)?;
        Ok(Self { public: public_halves(&seeds), seeds })
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        self.seeds.to_text()
    }

    /// The line of the text form that holds one key.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<SecretString> {
        self.seeds.line(number)
    }

    /// The numbers of all keys, the one that signs last.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.seeds.numbers()
    }

    /// What others need in order to verify tokens that a key has signed: its public half, such as
    /// `ed25519/` and 64 hexadecimal digits.
    #[must_use]
    pub fn public_key(&self, number: u32) -> Option<String> {
        self.public.get(&number).map(PublicKey::print)
    }

    pub(super) fn verifying(&self, number: u32) -> Option<PublicKey> {
        self.public.get(&number).copied()
    }

    pub(super) fn signing(&self) -> Option<(u32, KeyPair)> {
        let (number, seed) = self.seeds.newest()?;
        Some((number, key_pair(seed)?))
    }
}

fn public_halves(seeds: &NumberedKeys) -> BTreeMap<u32, PublicKey> {
    let pair = |number| Some((number, key_pair(seeds.get(number)?)?.public()));
    seeds.numbers().filter_map(pair).collect()
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

impl fmt::Debug for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKeys").field("numbers", &self.public.keys()).finish_non_exhaustive()
    }
}
