//! From a presented key to a principal, fast for keys that are known.

mod uses;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use windlass_domain::Clock;

use self::uses::{LastUse, Uses};
use super::{DirectoryError, HashError, KeyDirectory, KeyEntry, KeyFormat, KeyHasher, PlainKey};
use crate::{
    ApiKeyId, Principal,
    flights::{Digest, Flights},
};

/// Verifies presented keys.
///
/// A key that was verified before costs one fast hash and one look into a bounded cache. Any other
/// costs a read of the directory and, unless it is malformed, one slow hash, whether or not there
/// is such a key; those are bounded, so that a flood of them leaves known keys alone.
///
/// Two kinds of knowledge are cached together. That a key matches a stored hash stays true for
/// ever. What the directory says about the key does not: it is read again when `cache_ttl` is
/// over, and whatever is told to be forgotten is never used by a call that begins later.
pub struct KeyVerifier {
    directory: Arc<dyn KeyDirectory>,
    hasher: KeyHasher,
    format: KeyFormat,
    clock: Arc<dyn Clock>,
    cache_ttl: TimeDelta,
    cache: Cache<Digest, Arc<Known>>,
    flights: Flights<Result<Arc<Known>, AuthError>>,
    /// Cached answers of the directory from before this generation are stale.
    oldest_generation: AtomicU64,
    uses: Uses,
}

/// How a [`KeyVerifier`] caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifierOptions {
    /// How many verified keys are kept.
    pub cache_size: usize,
    /// How long a change can stay unnoticed where [`KeyVerifier::forget`] was not called.
    pub cache_ttl: Duration,
}

/// Why nobody is let in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// Malformed, unknown, wrong, expired or revoked, or its creator has gone: whoever presents
    /// it does not learn which.
    #[error("invalid or expired API key")]
    Invalid,
    /// Too many keys are being checked; the caller may try again.
    #[error("too many keys are being checked")]
    Busy,
    /// Stored keys cannot be read; this says nothing about the key.
    #[error(transparent)]
    Unavailable(#[from] DirectoryError),
}

/// A key that was verified.
struct Known {
    id: ApiKeyId,
    principal: Arc<Principal>,
    /// The stored hash that the key matches.
    hash: String,
    /// When the directory was asked, counted in changes.
    generation: u64,
    /// When the directory has to be asked again, the key's expiry at the latest.
    fresh_until: DateTime<Utc>,
    last_use: Arc<LastUse>,
}

impl Default for VerifierOptions {
    /// 10,000 keys, asked for again after a minute.
    fn default() -> Self {
        Self { cache_size: 10_000, cache_ttl: Duration::from_mins(1) }
    }
}

impl KeyVerifier {
    /// Sets up a verifier that knows no key yet.
    #[must_use]
    pub fn new(
        directory: Arc<dyn KeyDirectory>,
        hasher: KeyHasher,
        format: KeyFormat,
        clock: Arc<dyn Clock>,
        options: VerifierOptions,
    ) -> Self {
        Self {
            directory,
            hasher,
            format,
            clock,
            cache_ttl: TimeDelta::from_std(options.cache_ttl).unwrap_or(TimeDelta::MAX),
            cache: Cache::new(options.cache_size.max(1)),
            flights: Flights::default(),
            oldest_generation: AtomicU64::new(0),
            uses: Uses::default(),
        }
    }

    /// Finds out who presents a key.
    pub async fn verify(&self, presented: &str) -> Result<Arc<Principal>, AuthError> {
        let parsed = self.format.parse(presented).ok_or(AuthError::Invalid)?;
        let digest = Sha256::digest(presented).into();
        let now = self.clock.now();
        let cached = self.cache.get(&digest).filter(|known| self.is_fresh(known, now));
        let known = match cached {
            Some(known) => known,
            None => self.look_up(digest, presented, parsed.lookup).await?,
        };
        known.last_use.note(now);
        Ok(Arc::clone(&known.principal))
    }

    /// Forgets what is known about a key; to be called when it, or its creator, has changed.
    pub fn forget(&self, id: ApiKeyId) {
        self.flights.change(|_| self.cache.retain(|_, known| known.id != id));
    }

    /// Has the directory asked again about every key; to be called when any may have changed.
    pub fn forget_all(&self) {
        self.flights.change(|generation| {
            self.oldest_generation.store(generation, Ordering::Release);
        });
    }

    /// Takes the notes about when keys were last used, to be written down in one go.
    ///
    /// Only what is newer than at the last call is returned.
    #[must_use = "what is taken is not returned again"]
    pub fn taken_uses(&self) -> Vec<(ApiKeyId, DateTime<Utc>)> {
        self.uses.take()
    }

    fn is_fresh(&self, known: &Known, now: DateTime<Utc>) -> bool {
        now < known.fresh_until
            && self.oldest_generation.load(Ordering::Acquire) <= known.generation
    }

    /// Asks the directory, together with everybody else who presents the same key now.
    async fn look_up(
        &self,
        digest: Digest,
        presented: &str,
        lookup: &str,
    ) -> Result<Arc<Known>, AuthError> {
        let ticket = self.flights.join(digest);
        ticket.result.get_or_init(|| self.settle(&digest, presented, lookup)).await.clone()
    }

    /// Looks until what was seen is still true at the end.
    async fn settle(
        &self,
        digest: &Digest,
        presented: &str,
        lookup: &str,
    ) -> Result<Arc<Known>, AuthError> {
        let mut matching = self.cache.peek(digest).map(|known| known.hash.clone());
        loop {
            let generation = self.flights.generation();
            match self.look(presented, lookup, &mut matching, generation).await {
                Ok(known) => {
                    let keep = || self.cache.insert(*digest, Arc::clone(&known));
                    if self.flights.land(digest, generation, keep) {
                        return Ok(known);
                    }
                }
                Err(err) => {
                    self.flights.abort(digest);
                    return Err(err);
                }
            }
        }
    }

    /// Looks once. `matching` is a hash that the key is known to match: a slow hash is computed
    /// only where another one is stored.
    async fn look(
        &self,
        presented: &str,
        lookup: &str,
        matching: &mut Option<String>,
        generation: u64,
    ) -> Result<Arc<Known>, AuthError> {
        // Comes before the directory, which is to be spared by a flood, too.
        let admission = match matching {
            Some(_) => None,
            None => Some(self.hasher.admit().await?),
        };
        let now = self.clock.now();
        let entry = self.directory.find_key(lookup).await?;
        let hash = entry.as_ref().map_or(self.hasher.decoy(), |entry| &entry.record.hash);
        if matching.as_deref() != Some(hash) {
            let admission = match admission {
                Some(admission) => admission,
                None => self.hasher.admit().await?,
            };
            if !admission.verify(&PlainKey::from(presented.to_owned()), hash).await? {
                return Err(AuthError::Invalid);
            }
            *matching = Some(hash.to_owned());
        }
        let known = entry.and_then(|entry| self.know(entry, now, generation));
        known.map(Arc::new).ok_or(AuthError::Invalid)
    }

    fn know(&self, entry: KeyEntry, asked_at: DateTime<Utc>, generation: u64) -> Option<Known> {
        let (id, hash) = (entry.record.id, entry.record.hash.clone());
        let expires_at = entry.record.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let principal = Arc::new(entry.into_principal(self.clock.now())?);
        let stale_at = asked_at.checked_add_signed(self.cache_ttl);
        Some(Known {
            id,
            principal,
            hash,
            generation,
            fresh_until: stale_at.map_or(expires_at, |stale_at| stale_at.min(expires_at)),
            last_use: self.uses.of(id),
        })
    }
}

impl From<HashError> for AuthError {
    fn from(err: HashError) -> Self {
        match err {
            HashError::Busy => Self::Busy,
            HashError::Failed(_) => Self::Unavailable(DirectoryError::new(err)),
        }
    }
}

impl fmt::Debug for KeyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVerifier").field("known", &self.cache.len()).finish_non_exhaustive()
    }
}
