//! From a presented key to a principal, fast for keys that are known.

mod hashes;
mod imported;
mod uses;

pub use self::hashes::Rehash;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use windlass_domain::{Clock, UserId};

use self::{
    hashes::{Matching, Rehashes},
    imported::Formats,
    uses::{LastUse, Uses},
};
use super::{
    DirectoryError, HashError, KeyDirectory, KeyEntry, KeyFormat, KeyHasher, PlainKey,
    hasher::{Admission, Found, Toll, cost_of},
    import::may_be_imported,
};
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
    formats: Formats,
    rehashes: Rehashes,
}

/// What is presented, and by what it is found.
#[derive(Clone, Copy)]
struct Sought<'a> {
    presented: &'a str,
    by: By<'a>,
}

#[derive(Clone, Copy)]
enum By<'a> {
    /// The look-up id of a key of ours.
    Lookup(&'a str),
    /// The first characters of a key that was made elsewhere.
    Start,
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
    /// It is right, but it may not be used from this address.
    #[error("the API key may not be used from this address")]
    WrongAddress,
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
    matching: Matching,
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
            formats: Formats::default(),
            rehashes: Rehashes::default(),
        }
    }

    /// Finds out who presents a key, and from where: where that is not known, a key that is bound
    /// to addresses is refused.
    pub async fn verify(
        &self,
        presented: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthError> {
        let sought = self.sought(presented).ok_or(AuthError::Invalid)?;
        let digest = Sha256::digest(presented).into();
        let now = self.clock.now();
        let cached = self.cache.get(&digest).filter(|known| self.is_fresh(known, now));
        let known = match cached {
            Some(known) => known,
            None => self.look_up(digest, sought).await?,
        };
        if !known.principal.credential.addresses().includes(address) {
            return Err(AuthError::WrongAddress);
        }
        known.last_use.note(now);
        Ok(Arc::clone(&known.principal))
    }

    /// Forgets what is known about a key; to be called when it has changed.
    pub fn forget(&self, id: ApiKeyId) {
        self.flights.change(|_| self.cache.retain(|_, known| known.id != id));
    }

    /// Has the directory asked again about every key of a person; to be called when their place
    /// in an organization has changed.
    pub fn forget_keys_of(&self, user: UserId) {
        self.flights.change(|_| self.cache.retain(|_, known| known.principal.user_id != user));
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

    /// Takes the hashes of keys that were used and had been hashed at a lower cost than that of
    /// today, to be stored where the old ones still are.
    #[must_use = "what is taken is not returned again"]
    pub fn taken_rehashes(&self) -> Vec<Rehash> {
        self.rehashes.take()
    }

    /// What to look for; nothing for a text that no key has.
    fn sought<'a>(&self, presented: &'a str) -> Option<Sought<'a>> {
        let by = match self.format.parse(presented) {
            Some(parsed) => By::Lookup(parsed.lookup),
            None if may_be_imported(presented) => By::Start,
            None => return None,
        };
        Some(Sought { presented, by })
    }

    fn is_fresh(&self, known: &Known, now: DateTime<Utc>) -> bool {
        now < known.fresh_until
            && self.oldest_generation.load(Ordering::Acquire) <= known.generation
    }

    /// Asks the directory, together with everybody else who presents the same key now.
    async fn look_up(&self, digest: Digest, sought: Sought<'_>) -> Result<Arc<Known>, AuthError> {
        let ticket = self.flights.join(digest);
        ticket.result.get_or_init(|| self.settle(&digest, sought)).await.clone()
    }

    /// Looks until what was seen is still true at the end.
    async fn settle(&self, digest: &Digest, sought: Sought<'_>) -> Result<Arc<Known>, AuthError> {
        let known = self.cache.peek(digest);
        let matching = known.map(|known| known.matching.clone()).unwrap_or_default();
        loop {
            let generation = self.flights.generation();
            match self.look(sought, &matching, generation).await {
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

    /// Looks once. A slow hash is computed only where another one is stored than those that the
    /// key is known to match.
    async fn look(
        &self,
        sought: Sought<'_>,
        matching: &Matching,
        generation: u64,
    ) -> Result<Arc<Known>, AuthError> {
        let (found_by, toll) = match sought.by {
            By::Lookup(lookup) => (lookup, self.hasher.toll()),
            By::Start => self.recognise(sought.presented, generation).await?,
        };
        // Comes before the directory, which is to be spared by a flood, too.
        let admission = if matching.is_empty() { Some(self.hasher.admit().await?) } else { None };
        let now = self.clock.now();
        let mut entries = match sought.by {
            By::Lookup(_) => self.directory.find_key(found_by).await?.into_iter().collect(),
            By::Start => self.directory.find_imported_keys(found_by).await?,
        };
        entries.truncate(toll.hashes);

        let known = entries.iter().position(|entry| matching.includes(&entry.record.hash));
        let (index, admission) = if let Some(index) = known {
            (index, None)
        } else {
            let admission = match admission {
                Some(admission) => admission,
                None => self.hasher.admit().await?,
            };
            let found = self.check(sought.presented, &entries, toll, admission).await?;
            (found.index, Some(found.admission))
        };
        let entry = entries.into_iter().nth(index).ok_or(AuthError::Invalid)?;
        let hash = entry.record.hash.clone();
        if admission.is_some() {
            matching.add(hash.clone());
        }
        let known =
            self.know(entry, matching.clone(), now, generation).ok_or(AuthError::Invalid)?;
        if let Some(admission) = admission {
            self.raise_cost(sought.presented, known.id, hash, matching, admission);
        }
        Ok(Arc::new(known))
    }

    /// By what an imported key is found, and what it costs to refuse it.
    async fn recognise<'a>(
        &self,
        presented: &'a str,
        generation: u64,
    ) -> Result<(&'a str, Toll), AuthError> {
        let now = self.clock.now();
        let format = self.formats.of(presented, &*self.directory, now, generation).await?;
        let format = format.ok_or(AuthError::Invalid)?;
        let start = format.start_of(presented).ok_or(AuthError::Invalid)?;
        let cost = format.cost.max(self.hasher.cost());
        Ok((start, Toll { hashes: format.most_alike, cost }))
    }

    /// Computes which of the stored keys is presented.
    async fn check(
        &self,
        presented: &str,
        entries: &[KeyEntry],
        toll: Toll,
        admission: Admission,
    ) -> Result<Found, AuthError> {
        let hashes = entries.iter().map(|entry| entry.record.hash.clone()).collect();
        let key = PlainKey::from(presented.to_owned());
        admission.find(&key, hashes, toll).await?.ok_or(AuthError::Invalid)
    }

    /// Hashes a key anew where that has become dearer; nobody waits for it.
    fn raise_cost(
        &self,
        presented: &str,
        id: ApiKeyId,
        old: String,
        matching: &Matching,
        admission: Admission,
    ) {
        let cost = self.hasher.cost();
        if cost_of(&old).is_ok_and(|stored| stored < cost.get()) {
            let (rehashes, matching) = (self.rehashes.clone(), matching.clone());
            let key = PlainKey::from(presented.to_owned());
            admission.hash_aside(&key, cost, move |new| {
                matching.add(new.clone());
                rehashes.note(Rehash { id, old, new });
            });
        }
    }

    fn know(
        &self,
        entry: KeyEntry,
        matching: Matching,
        asked_at: DateTime<Utc>,
        generation: u64,
    ) -> Option<Known> {
        let id = entry.record.id;
        let expires_at = entry.record.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let principal = Arc::new(entry.into_principal(self.clock.now())?);
        let stale_at = asked_at.checked_add_signed(self.cache_ttl);
        Some(Known {
            id,
            principal,
            matching,
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
