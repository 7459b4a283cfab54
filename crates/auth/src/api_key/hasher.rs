//! Slow hashing, away from the async threads and under a bound.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bcrypt::{BcryptError, HashParts};
use secrecy::ExposeSecret as _;
use tokio::task;

use super::PlainKey;
use crate::slow::{HashError, Turn, Turns, half_the_processors};

/// Hashes keys with bcrypt, a few at a time.
///
/// A flood of keys that have to be checked takes no more than the configured share of the
/// machine; what does not fit into the queue is turned away. Clones share the bound.
#[derive(Clone)]
pub struct KeyHasher {
    cost: BcryptCost,
    turns: Turns,
    spent: Arc<Spent>,
}

/// How a [`KeyHasher`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasherOptions {
    /// How slow a hash is. Where it is raised, a key that was made before gets a new hash when it
    /// is next used. Where it is lowered, such a key keeps its own cost, and the time that a refusal
    /// takes can then tell its look-up id from an unknown one.
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

impl Default for HasherOptions {
    /// About 70 ms a hash, at most half of the machine's processors, 32 in the queue.
    fn default() -> Self {
        Self { cost: BcryptCost::default(), concurrency: half_the_processors(), queue: 32 }
    }
}

impl BcryptCost {
    /// The fastest: for tests only.
    pub const MIN: Self = Self(4);
    /// The slowest that still answers within seconds.
    pub const MAX: Self = Self(15);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

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
        Self {
            cost: options.cost,
            turns: Turns::new(options.concurrency, options.queue),
            spent: Arc::default(),
        }
    }

    /// Computes the hash under which a key is stored.
    pub async fn hash(&self, key: &PlainKey) -> Result<String, HashError> {
        self.admit().await?.hash(key, self.cost).await
    }

    /// Whether a key is the one that was hashed.
    pub async fn verify(&self, key: &PlainKey, hash: &str) -> Result<bool, HashError> {
        let found = self.admit().await?.find(key, vec![hash.to_owned()], self.toll()).await?;
        Ok(found.is_some())
    }

    /// How slow a new hash is.
    #[must_use]
    pub fn cost(&self) -> BcryptCost {
        self.cost
    }

    /// How often hashing has been begun so far: the share of requests that are not answered from
    /// memory.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.spent.computed.load(Ordering::Relaxed)
    }

    /// The work that this was: bcrypt's rounds, to which the time is proportional.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.spent.rounds.load(Ordering::Relaxed)
    }

    /// What it costs to refuse a key of ours.
    pub(super) fn toll(&self) -> Toll {
        Toll { hashes: 1, cost: self.cost }
    }

    /// Waits for a turn to hash.
    pub(super) async fn admit(&self) -> Result<Admission, HashError> {
        let turn = self.turns.take().await?;
        Ok(Admission { spent: Arc::clone(&self.spent), _turn: turn })
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHasher").field("cost", &self.cost.0).finish_non_exhaustive()
    }
}

/// The right to hash now.
pub(super) struct Admission {
    spent: Arc<Spent>,
    _turn: Turn,
}

/// What a refusal costs, whatever it is for: its time must not tell which keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Toll {
    pub(super) hashes: usize,
    pub(super) cost: BcryptCost,
}

/// Which of several hashes a key has.
pub(super) struct Found {
    pub(super) index: usize,
    /// Still good for one more hash.
    pub(super) admission: Admission,
}

impl Admission {
    /// Looks for the one of some hashes that a key has. Where it has none, the toll is paid in
    /// full.
    pub(super) async fn find(
        self,
        key: &PlainKey,
        hashes: Vec<String>,
        toll: Toll,
    ) -> Result<Option<Found>, HashError> {
        let key = key.secret();
        let search = move |spent: &Spent| {
            let mut costs = Vec::with_capacity(hashes.len());
            for (index, hash) in hashes.iter().enumerate() {
                let cost = cost_of(hash)?;
                if spent.verify(key.expose_secret(), hash, cost)? {
                    return Ok(Some(index));
                }
                costs.push(cost);
            }
            for cost in missing(&costs, toll) {
                spent.verify(key.expose_secret(), &decoy(cost), cost)?;
            }
            Ok(None)
        };
        let (found, admission) = self.run(search).await?;
        Ok(found.map(|index| Found { index, admission }))
    }

    /// Computes a hash while nobody waits for it, and hands it over.
    pub(super) fn hash_aside(
        self,
        key: &PlainKey,
        cost: BcryptCost,
        hand_over: impl FnOnce(String) + Send + 'static,
    ) {
        let key = key.secret();
        task::spawn_blocking(move || {
            // Goes along as a whole, so that the turn ends with the hash.
            let admission = self;
            // One that cannot be computed was not needed either: the key works with the old one.
            if let Ok(hash) = admission.spent.hash(key.expose_secret(), cost.0) {
                hand_over(hash);
            }
        });
    }

    async fn hash(self, key: &PlainKey, cost: BcryptCost) -> Result<String, HashError> {
        let key = key.secret();
        let (hash, _) = self.run(move |spent| spent.hash(key.expose_secret(), cost.0)).await?;
        Ok(hash)
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Spent) -> Result<T, BcryptError> + Send + 'static,
    ) -> Result<(T, Self), HashError> {
        let hashing = task::spawn_blocking(move || {
            // Goes along, so that the bound holds even where nobody waits for the result any more.
            let admission = self;
            admission.spent.computed.fetch_add(1, Ordering::Relaxed);
            let outcome = work(&admission.spent);
            (outcome, admission)
        });
        let (outcome, admission) = hashing.await.map_err(HashError::failed)?;
        Ok((outcome.map_err(HashError::failed)?, admission))
    }
}

/// What has been computed so far.
#[derive(Debug, Default)]
struct Spent {
    computed: AtomicU64,
    rounds: AtomicU64,
}

impl Spent {
    fn hash(&self, key: &str, cost: u32) -> Result<String, BcryptError> {
        self.note(cost);
        bcrypt::non_truncating_hash(key, cost)
    }

    fn verify(&self, key: &str, hash: &str, cost: u32) -> Result<bool, BcryptError> {
        self.note(cost);
        bcrypt::non_truncating_verify(key, hash)
    }

    fn note(&self, cost: u32) {
        let rounds = 1_u64.checked_shl(cost).unwrap_or(u64::MAX);
        self.rounds.fetch_add(rounds, Ordering::Relaxed);
    }
}

/// The cost of a stored hash.
pub(super) fn cost_of(hash: &str) -> Result<u32, BcryptError> {
    Ok(hash.parse::<HashParts>()?.get_cost())
}

/// A hash that no key has, and that takes as long to check as any other of its cost.
fn decoy(cost: u32) -> String {
    format!("$2b${cost:02}${}", ".".repeat(53))
}

/// What is still to be computed so that hashes of these costs take the whole toll.
///
/// Each step of the cost doubles the time: `c`, and then once each of `c` to `n - 1`, is as much
/// as `n`.
fn missing(costs: &[u32], toll: Toll) -> impl Iterator<Item = u32> {
    let whole = toll.hashes.saturating_sub(costs.len());
    let rest = costs.iter().flat_map(move |cost| *cost..toll.cost.0);
    rest.chain(std::iter::repeat_n(toll.cost.0, whole))
}

#[cfg(test)]
mod tests {
    use super::{BcryptCost, HasherOptions, KeyHasher, PlainKey, Toll, decoy, missing};

    #[test]
    fn a_decoy_is_checked_at_its_cost_and_matches_nothing() {
        let parts: bcrypt::HashParts = decoy(5).parse().unwrap();

        assert_eq!(parts.get_cost(), 5);
        assert!(!bcrypt::non_truncating_verify("anything", &decoy(5)).unwrap());
    }

    #[test]
    fn what_is_missing_makes_up_for_cheaper_and_for_fewer_hashes() {
        let rounds = |costs: &[u32]| costs.iter().map(|cost| 1_u64 << cost).sum::<u64>();
        let toll = Toll { hashes: 3, cost: BcryptCost(10) };
        for costs in [&[][..], &[10], &[4], &[4, 9, 10], &[7, 8]] {
            let all: Vec<u32> = costs.iter().copied().chain(missing(costs, toll)).collect();
            assert_eq!(rounds(&all), 3 << 10, "{costs:?}");
        }
        assert_eq!(missing(&[12], Toll { hashes: 1, ..toll }).count(), 0, "it cost more already");
    }

    #[tokio::test]
    async fn a_refusal_costs_the_same_whatever_the_stored_hash_cost() {
        let [cheap, dear] = [4, 7].map(|cost| {
            let cost = BcryptCost::new(cost).unwrap();
            KeyHasher::new(HasherOptions { cost, ..HasherOptions::default() })
        });
        let (right, wrong) = (PlainKey::from("right".to_owned()), "wrong".to_owned().into());
        let hashes = [cheap.hash(&right).await.unwrap(), dear.hash(&right).await.unwrap()];

        for hash in hashes {
            let before = dear.rounds();
            assert!(!dear.verify(&wrong, &hash).await.unwrap());
            assert_eq!(dear.rounds() - before, 1 << 7);
        }
    }
}
