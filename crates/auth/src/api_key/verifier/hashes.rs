//! Which stored hashes a key is known to match, and which of them are to be replaced.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::ApiKeyId;

/// The stored hashes that one key is known to match. That stays true for ever, so what is stored
/// can change between them without anybody having to hash again.
#[derive(Clone, Default)]
pub(super) struct Matching(Arc<Mutex<Vec<String>>>);

/// A key has got a new hash, as it is dearer to guess from; it should be stored in place of the
/// old one, unless something else is stored by now.
#[derive(Clone, PartialEq, Eq)]
pub struct Rehash {
    /// Whose hash it is.
    pub id: ApiKeyId,
    /// The hash that was stored.
    pub old: String,
    /// The hash of the same key at the cost of today.
    pub new: String,
}

/// What is still to be stored.
#[derive(Clone, Default)]
pub(super) struct Rehashes(Arc<Mutex<Vec<Rehash>>>);

impl Matching {
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn includes(&self, hash: &str) -> bool {
        let hashes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.iter().any(|known| known == hash)
    }

    pub(super) fn add(&self, hash: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(hash);
    }
}

impl Rehashes {
    pub(super) fn note(&self, rehash: Rehash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rehash);
    }

    pub(super) fn take(&self) -> Vec<Rehash> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Rehash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A hash would let a reader of logs guess at the key.
        f.debug_struct("Rehash").field("id", &self.id).finish_non_exhaustive()
    }
}
