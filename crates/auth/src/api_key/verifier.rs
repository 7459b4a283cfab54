//! From a presented key to a principal, fast for keys that are known.

mod hashes;
mod imported;

pub use self::hashes::Rehash;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use windlass_domain::{Clock, UserId};

use self::{
    hashes::{Matching, Rehashes},
    imported::Formats,
};
use super::{
    DirectoryError, KeyDirectory, KeyEntry, KeyFormat, KeyHasher, PlainKey,
    hasher::{Admission, Found, Toll, cost_of},
    import::may_be_imported,
};
use crate::{
    ApiKeyId, Principal,
    flights::Digest,
    slow::HashError,
    uses::{LastUse, Uses},
    verified::{Known, Seen, Verified},
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
    verified: Verified<KnownKey, AuthError>,
    uses: Uses<ApiKeyId>,
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
    /// It is right, and this caller's, but it may not be used from this address.
    #[error("the API key may not be used from this address")]
    WrongAddress(Arc<Principal>),
    /// Too many keys are being checked; the caller may try again.
    #[error("too many keys are being checked")]
    Busy,
    /// Stored keys cannot be read; this says nothing about the key.
    #[error(transparent)]
    Unavailable(#[from] DirectoryError),
}

/// A key that was verified.
struct KnownKey {
    id: ApiKeyId,
    principal: Arc<Principal>,
    matching: Matching,
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
            verified: Verified::new(clock, options),
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
        let now = self.verified.now();
        let known = match self.verified.fresh(&digest, now) {
            Some(known) => known,
            None => self.look_up(digest, sought).await?,
        };
        if !known.principal.credential.addresses().includes(address) {
            return Err(AuthError::WrongAddress(Arc::clone(&known.principal)));
        }
        known.last_use.note(now);
        Ok(Arc::clone(&known.principal))
    }

    /// Whether a text is to be hashed before it is known whose key it is, which is slow: it looks
    /// like a key, and is none that was verified here of late.
    #[must_use]
    pub fn would_hash(&self, presented: &str) -> bool {
        let digest = Sha256::digest(presented).into();
        self.sought(presented).is_some() && self.verified.peek(&digest).is_none()
    }

    /// Forgets what is known about a key; to be called when it has changed.
    pub fn forget(&self, id: ApiKeyId) {
        self.verified.forget(|known| known.id == id);
    }

    /// Has the directory asked again about every key of a person; to be called when their place
    /// in an organization has changed.
    pub fn forget_keys_of(&self, user: UserId) {
        self.verified.forget(|known| known.principal.user_id == user);
    }

    /// Has the directory asked again about every key; to be called when any may have changed.
    pub fn forget_all(&self) {
        self.verified.forget_all();
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

    async fn look_up(
        &self,
        digest: Digest,
        sought: Sought<'_>,
    ) -> Result<Arc<Known<KnownKey>>, AuthError> {
        let known = self.verified.peek(&digest);
        let matching = known.map(|known| known.matching.clone()).unwrap_or_default();
        self.verified.look(digest, |generation| self.look(sought, &matching, generation)).await
    }

    /// Looks once. A slow hash is computed only where another one is stored than those that the
    /// key is known to match.
    async fn look(
        &self,
        sought: Sought<'_>,
        matching: &Matching,
        generation: u64,
    ) -> Result<Seen<KnownKey>, AuthError> {
        let (found_by, toll) = match sought.by {
            By::Lookup(lookup) => (lookup, self.hasher.toll()),
            By::Start => self.recognise(sought.presented, generation).await?,
        };
        // Comes before the directory, which is to be spared by a flood, too.
        let admission = if matching.is_empty() { Some(self.hasher.admit().await?) } else { None };
        let now = self.verified.now();
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
        let seen = self.see(entry, matching.clone(), now).ok_or(AuthError::Invalid)?;
        if let Some(admission) = admission {
            self.raise_cost(sought.presented, seen.value.id, hash, matching, admission);
        }
        Ok(seen)
    }

    /// By what an imported key is found, and what it costs to refuse it.
    async fn recognise<'a>(
        &self,
        presented: &'a str,
        generation: u64,
    ) -> Result<(&'a str, Toll), AuthError> {
        let now = self.verified.now();
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

    fn see(
        &self,
        entry: KeyEntry,
        matching: Matching,
        asked_at: DateTime<Utc>,
    ) -> Option<Seen<KnownKey>> {
        let id = entry.record.id;
        let expires_at = entry.record.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let principal = Arc::new(entry.into_principal(self.verified.now())?);
        let value = KnownKey { id, principal, matching, last_use: self.uses.of(id) };
        Some(Seen { value, asked_at, expires_at })
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
        f.debug_struct("KeyVerifier").field("known", &self.verified.len()).finish_non_exhaustive()
    }
}
