//! Keys that were made elsewhere: they come with their hash, and keep working.

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use windlass_domain::{Effects, Id};

use super::{BcryptCost, Creator, MintError, NewApiKey, hasher::cost_of, mint::FoundBy};
use crate::{ApiKeyRecord, base62};

/// The longest text whose every byte counts in a bcrypt hash.
const MOST_BYTES: usize = 71;
/// More of a key's first characters than these is not kept for finding it.
const MOST_START: usize = 16;
/// Most characters of what comes before the first underscore.
const MOST_PREFIX: usize = 12;

/// A key that was made elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportedKey {
    request: NewApiKey,
    first_characters: String,
    hash: String,
    created_at: Option<DateTime<Utc>>,
    lookup: String,
    format: ImportedFormat,
}

/// How imported keys look that begin with one prefix.
///
/// They have no look-up id, so they are found by their first characters; and whatever such a text
/// is refused for, it has to cost the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFormat {
    /// With what they begin, up to their first underscore, such as `nxs_`.
    pub prefix: String,
    /// By how many of their first characters they are found.
    pub start_length: usize,
    /// How many of them begin with the same characters, at most.
    pub most_alike: usize,
    /// The highest cost at which one of them is hashed.
    pub cost: BcryptCost,
}

/// Why a key is not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be recognised by its first characters.
    #[error("the first characters of a key must be like `nxs_a1b2c3d4`: a prefix and some more")]
    Start,
    /// Others of its prefix are found by more characters.
    #[error("the first {length} characters are needed: other keys like it are known by as many")]
    ShortStart {
        /// How many are needed.
        length: usize,
    },
    /// Too many others begin with the same characters.
    #[error("{} other keys begin with the same characters", ImportedFormat::MOST_ALIKE)]
    TooManyAlike,
    /// The hash cannot be used.
    #[error(
        "the hash must be one of bcrypt's, beginning with $2a$, $2b$ or $2y$, of a cost from {} to {}",
        BcryptCost::MIN.get(),
        BcryptCost::MAX.get()
    )]
    Hash,
    /// It would be a key that its owner could not have made here either.
    #[error(transparent)]
    Mint(#[from] MintError),
}

impl ImportedKey {
    /// Checks what is known of the key itself.
    ///
    /// `created_at` is when it was made elsewhere, where that is known.
    pub fn new(
        request: NewApiKey,
        first_characters: String,
        hash: String,
        created_at: Option<DateTime<Utc>>,
    ) -> Result<Self, ImportError> {
        let prefix = prefix_of(&first_characters).ok_or(ImportError::Start)?.to_owned();
        if MOST_BYTES < first_characters.len() || first_characters == prefix {
            return Err(ImportError::Start);
        }
        let is_known = ["$2a$", "$2b$", "$2y$"].iter().any(|version| hash.starts_with(version));
        let cost = cost_of(&hash).ok().and_then(|cost| BcryptCost::new(cost).ok());
        let cost = cost.filter(|_| is_known).ok_or(ImportError::Hash)?;
        let start_length = first_characters.len().min(MOST_START);
        let format = ImportedFormat { prefix, start_length, most_alike: 1, cost };
        let lookup = lookup_of(&hash);
        Ok(Self { request, first_characters, hash, created_at, lookup, format })
    }

    /// What it will be stored under; the same however often it is imported.
    #[must_use]
    pub fn lookup(&self) -> &str {
        &self.lookup
    }

    /// How it looks.
    #[must_use]
    pub fn format(&self) -> &ImportedFormat {
        &self.format
    }

    /// By what it is found among keys of a format.
    #[must_use]
    pub fn start_in(&self, format: &ImportedFormat) -> Option<&str> {
        format.start_of(&self.first_characters)
    }

    /// What it is asked to be.
    #[must_use]
    pub fn request(&self) -> &NewApiKey {
        &self.request
    }
}

impl ImportedFormat {
    /// How many imported keys may begin with the same characters: each of them makes a refusal
    /// dearer.
    pub const MOST_ALIKE: usize = 8;

    /// The characters by which a key is found, if it can be one of these.
    #[must_use]
    pub fn start_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        let start = key.get(..self.start_length)?;
        start.starts_with(&self.prefix).then_some(start)
    }

    /// The format of these keys and of one more that looks like them, which begins like `alike`
    /// others.
    pub fn and(&self, key: &ImportedKey, alike: usize) -> Result<Self, ImportError> {
        if Self::MOST_ALIKE <= alike {
            return Err(ImportError::TooManyAlike);
        }
        if key.format.start_length < self.start_length {
            return Err(ImportError::ShortStart { length: self.start_length });
        }
        Ok(Self {
            prefix: self.prefix.clone(),
            start_length: self.start_length,
            most_alike: self.most_alike.max(alike + 1),
            cost: self.cost.max(key.format.cost),
        })
    }
}

/// Makes the record of a key that was made elsewhere, under the same conditions as a new one.
///
/// `format` is that of the keys that begin with its prefix.
pub fn import(
    key: ImportedKey,
    creator: impl Into<Creator>,
    format: &ImportedFormat,
    fx: Effects<'_>,
) -> Result<ApiKeyRecord, ImportError> {
    let creator = creator.into();
    let now = fx.clock.now();
    key.request.check(&creator, now)?;
    let ImportedKey { request, first_characters, hash, created_at, lookup, format: _ } = key;
    let start = format.start_of(&first_characters).ok_or(ImportError::Start)?.to_owned();
    let found = FoundBy { lookup, prefix: first_characters, hash, imported_start: Some(start) };
    let created_at = created_at.unwrap_or(now).min(now);
    Ok(request.into_record(&creator, found, created_at, Id::generate(fx)))
}

/// Whether a text has the form that every imported key has. Costs next to nothing.
pub(super) fn may_be_imported(text: &str) -> bool {
    text.len() <= MOST_BYTES && prefix_of(text).is_some()
}

/// What a key begins with, its first underscore included.
fn prefix_of(text: &str) -> Option<&str> {
    let (head, _) = text.split_once('_')?;
    let is_short = (1..=MOST_PREFIX).contains(&head.len());
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic())
        && head.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.get(..=head.len()).filter(|_| is_short && is_plain)
}

/// A salted hash is like no other, so it tells whether a key was imported before.
fn lookup_of(hash: &str) -> String {
    let digest = base62::encode::<43>(&Sha256::digest(hash));
    format!("imported_{}", digest.map(char::from).iter().collect::<String>())
}

impl fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hash would let a reader of logs guess at the key.
        f.debug_struct("ImportedKey")
            .field("request", &self.request)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
