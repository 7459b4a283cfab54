//! argon2id, away from the async threads and under a bound.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc},
};
use tokio::task;
use windlass_domain::Entropy;

use super::{PasswordCost, PasswordHash, PlainPassword};
use crate::slow::{HashError, Turns, half_the_processors};

/// Bytes of a salt.
const SALT: usize = 16;

/// Hashes passwords with argon2id, a few at a time.
///
/// A flood of sign-ins takes no more than the configured share of the machine; what does not fit
/// into the queue is turned away. Clones share the bound.
#[derive(Clone)]
pub struct PasswordHasher {
    cost: PasswordCost,
    turns: Turns,
    spent: Arc<Spent>,
}

/// How a [`PasswordHasher`] works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordOptions {
    /// How slow a hash is. Where it is raised, a password gets a new hash when it is next used to
    /// sign in. Where it is lowered, such a password keeps its own cost, and the time that a refusal
    /// takes can then tell that its account exists.
    pub cost: PasswordCost,
    /// How many hashes are computed at the same time.
    pub concurrency: NonZeroUsize,
    /// How many more may wait for their turn.
    pub queue: usize,
}

/// What came of checking a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is another one, or there is none.
    Wrong,
    /// It is the one that was hashed.
    Right {
        /// The same password at the cost of today, to be stored where the old hash still is.
        upgraded: Option<PasswordHash>,
    },
}

impl Default for PasswordOptions {
    /// The usual cost, at most half of the machine's processors, 32 in the queue.
    fn default() -> Self {
        Self { cost: PasswordCost::default(), concurrency: half_the_processors(), queue: 32 }
    }
}

impl PasswordHasher {
    /// Sets up a hasher with a bound of its own.
    #[must_use]
    pub fn new(options: PasswordOptions) -> Self {
        Self {
            cost: options.cost,
            turns: Turns::new(options.concurrency, options.queue),
            spent: Arc::default(),
        }
    }

    /// Computes the hash under which a password is stored.
    pub async fn hash(
        &self,
        password: &PlainPassword,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, HashError> {
        let (password, cost, salt) = (password.clone(), self.cost, new_salt(entropy));
        self.run(move |spent| spent.hash(&password, cost, &salt)).await
    }

    /// Whether a password is the one that was hashed. Where there is none it takes as much work to
    /// find that out: nobody learns from the time whether an account exists.
    pub async fn verify(
        &self,
        password: &PlainPassword,
        stored: Option<&PasswordHash>,
        entropy: &dyn Entropy,
    ) -> Result<PasswordVerdict, HashError> {
        let (password, stored) = (password.clone(), stored.cloned());
        let (cost, salt) = (self.cost, new_salt(entropy));
        self.run(move |spent| {
            let Some(stored) = stored else {
                spent.waste(&password, cost)?;
                return Ok(PasswordVerdict::Wrong);
            };
            let stored = phc::PasswordHash::new(stored.as_str())?;
            stored.hash.ok_or(password_hash::Error::EncodingInvalid)?;
            let stored_cost = PasswordCost::from(&Params::try_from(&stored)?);
            if !spent.verify(&password, &stored, stored_cost)? {
                if let Some(missing) = cost.beside(stored_cost) {
                    spent.waste(&password, missing)?;
                }
                return Ok(PasswordVerdict::Wrong);
            }
            let is_cheaper = stored_cost.blocks() < cost.blocks();
            let upgraded = is_cheaper.then(|| spent.hash(&password, cost, &salt)).transpose()?;
            Ok(PasswordVerdict::Right { upgraded })
        })
        .await
    }

    /// How often hashing has been begun so far.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.spent.computed.load(Ordering::Relaxed)
    }

    /// The work that this was, to which the time is proportional: blocks of 1 KiB.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.spent.blocks.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Spent) -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, HashError> {
        let (turn, spent) = (self.turns.take().await?, Arc::clone(&self.spent));
        let hashing = task::spawn_blocking(move || {
            // Goes along, so that the bound holds even where nobody waits for the result any more.
            let _turn = turn;
            spent.computed.fetch_add(1, Ordering::Relaxed);
            work(&spent)
        });
        hashing.await.map_err(HashError::failed)?.map_err(HashError::failed)
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

/// What has been computed so far.
#[derive(Debug, Default)]
struct Spent {
    computed: AtomicU64,
    blocks: AtomicU64,
}

impl Spent {
    fn hash(
        &self,
        password: &PlainPassword,
        cost: PasswordCost,
        salt: &[u8; SALT],
    ) -> Result<PasswordHash, password_hash::Error> {
        let hasher = self.argon2id(cost)?;
        let hash: phc::PasswordHash = hasher.hash_password_with_salt(password.expose(), salt)?;
        Ok(hash.to_string().into())
    }

    fn verify(
        &self,
        password: &PlainPassword,
        stored: &phc::PasswordHash,
        stored_cost: PasswordCost,
    ) -> Result<bool, password_hash::Error> {
        // Computes at the cost that is written in the hash.
        match self.argon2id(stored_cost)?.verify_password(password.expose(), stored) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(err) => Err(err),
        }
    }

    /// Does the work of a hash that nobody needs.
    fn waste(
        &self,
        password: &PlainPassword,
        cost: PasswordCost,
    ) -> Result<(), password_hash::Error> {
        let mut unused = [0; Params::DEFAULT_OUTPUT_LEN];
        let hasher = self.argon2id(cost)?;
        Ok(hasher.hash_password_into(password.expose(), &[0; SALT], &mut unused)?)
    }

    fn argon2id(&self, cost: PasswordCost) -> Result<Argon2<'static>, argon2::Error> {
        self.blocks.fetch_add(cost.blocks(), Ordering::Relaxed);
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?))
    }
}

fn new_salt(entropy: &dyn Entropy) -> [u8; SALT] {
    let mut salt = [0; SALT];
    entropy.fill(&mut salt);
    salt
}
