//! Slow hashing, away from the async threads and under a bound.

use std::{
    error::Error,
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bcrypt::BcryptError;
use secrecy::ExposeSecret as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};

use super::PlainKey;

/// Hashes keys with bcrypt, a few at a time.
///
/// A flood of keys that have to be checked takes no more than the configured share of the
/// machine; what does not fit into the queue is turned away. Clones share the bound.
#[derive(Clone)]
pub struct KeyHasher {
    cost: BcryptCost,
    decoy: Arc<str>,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    computed: Arc<AtomicU64>,
}

/// How a [`KeyHasher`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasherOptions {
    /// How slow a hash is. Where it is changed, keys made before keep their own cost, and the
    /// time that a refusal takes can then tell such a key's look-up id from an unknown one.
    pub cost: BcryptCost,
    /// How many hashes are computed at the same time.
    pub concurrency: NonZeroUsize,
    /// How many more may wait for their turn.
    pub queue: usize,
}

/// bcrypt's work factor: one more doubles the time of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BcryptCost(u32);

/// The number is not a usable cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between {} and {}", BcryptCost::MIN.0, BcryptCost::MAX.0)]
pub struct BcryptCostError;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are waiting already.
    #[error("too many keys are being checked")]
    Busy,
    /// The stored hash is unreadable, the key too long, or the server is stopping.
    #[error("a key could not be hashed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl Default for HasherOptions {
    /// About 70 ms a hash, at most half of the machine's processors, 32 in the queue.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            cost: BcryptCost::default(),
            concurrency: NonZeroUsize::new(processors / 2).unwrap_or(NonZeroUsize::MIN),
            queue: 32,
        }
    }
}

impl BcryptCost {
    /// The fastest: for tests only.
    pub const MIN: Self = Self(4);
    /// The slowest that still answers within seconds.
    pub const MAX: Self = Self(15);

    /// Checks that a number is a usable cost.
    pub fn new(cost: u32) -> Result<Self, BcryptCostError> {
        let cost = Self(cost);
        if (Self::MIN..=Self::MAX).contains(&cost) { Ok(cost) } else { Err(BcryptCostError) }
    }
}

impl Default for BcryptCost {
    fn default() -> Self {
        Self(10)
    }
}

impl KeyHasher {
    /// Sets up a hasher with a bound of its own.
    #[must_use]
    pub fn new(options: HasherOptions) -> Self {
        let turns = options.concurrency.get().min(Semaphore::MAX_PERMITS);
        let places = turns.saturating_add(options.queue).min(Semaphore::MAX_PERMITS);
        Self {
            cost: options.cost,
            decoy: format!("$2b${:02}${}", options.cost.0, ".".repeat(53)).into(),
            places: Arc::new(Semaphore::new(places)),
            turns: Arc::new(Semaphore::new(turns)),
            computed: Arc::default(),
        }
    }

    /// Computes the hash under which a key is stored.
    pub async fn hash(&self, key: &PlainKey) -> Result<String, HashError> {
        let (key, cost) = (key.secret(), self.cost.0);
        self.admit()
            .await?
            .run(move || bcrypt::non_truncating_hash(key.expose_secret(), cost))
            .await
    }

    /// Whether a key is the one that was hashed.
    pub async fn verify(&self, key: &PlainKey, hash: &str) -> Result<bool, HashError> {
        self.admit().await?.verify(key, hash).await
    }

    /// How many hashes have been begun so far: the share of requests that are not answered from
    /// memory.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Waits for a turn to hash.
    pub(super) async fn admit(&self) -> Result<Admission, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(HashError::failed)?;
        Ok(Admission { computed: Arc::clone(&self.computed), _place: place, _turn: turn })
    }

    /// A hash that no key has and that takes as long to check as any other.
    pub(super) fn decoy(&self) -> &str {
        &self.decoy
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHasher").field("cost", &self.cost.0).finish_non_exhaustive()
    }
}

/// The right to compute one hash now.
pub(super) struct Admission {
    computed: Arc<AtomicU64>,
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Admission {
    pub(super) async fn verify(self, key: &PlainKey, hash: &str) -> Result<bool, HashError> {
        let (key, hash) = (key.secret(), hash.to_owned());
        self.run(move || bcrypt::non_truncating_verify(key.expose_secret(), &hash)).await
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> Result<T, BcryptError> + Send + 'static,
    ) -> Result<T, HashError> {
        let hashing = task::spawn_blocking(move || {
            // Goes along, so that the bound holds even where nobody waits for the result any more.
            let admission = self;
            admission.computed.fetch_add(1, Ordering::Relaxed);
            work()
        });
        hashing.await.map_err(HashError::failed)?.map_err(HashError::failed)
    }
}

impl HashError {
    fn failed(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed(Box::new(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::{BcryptCost, HasherOptions, KeyHasher};

    #[test]
    fn the_decoy_is_checked_at_the_configured_cost_and_matches_nothing() {
        let cost = BcryptCost::new(5).unwrap();
        let hasher = KeyHasher::new(HasherOptions { cost, ..HasherOptions::default() });
        let parts: bcrypt::HashParts = hasher.decoy().parse().unwrap();

        assert_eq!(parts.get_cost(), 5);
        assert!(!bcrypt::non_truncating_verify("anything", hasher.decoy()).unwrap());
    }
}
