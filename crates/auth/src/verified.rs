//! What was found out about presented credentials, for as long as it is true.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::{UnitWeighter, Weighter, sync::Cache};
use windlass_domain::Clock;

use crate::{
    VerifierOptions,
    flights::{Digest, Flights},
};

/// Credentials that were verified, by their digest: a bounded cache.
///
/// Everybody who presents the same unknown credential shares one look at what is stored. What was
/// seen is used until the time to live or the credential itself is over, and whatever is told to be
/// forgotten is never used by a call that begins later.
pub(crate) struct Verified<T, E, W = UnitWeighter> {
    clock: Arc<dyn Clock>,
    ttl: TimeDelta,
    cache: Cache<Digest, Arc<Known<T>>, W>,
    flights: Flights<Result<Arc<Known<T>>, E>>,
    /// What was seen before this generation is stale.
    oldest_generation: AtomicU64,
}

/// What a look at what is stored has shown.
pub(crate) struct Seen<T> {
    pub(crate) value: T,
    /// When it was looked for.
    pub(crate) asked_at: DateTime<Utc>,
    /// When it ceases to be true by itself.
    pub(crate) expires_at: DateTime<Utc>,
}

/// What is known about a credential.
pub(crate) struct Known<T> {
    value: T,
    /// When it was looked for, counted in changes.
    generation: u64,
    fresh_until: DateTime<Utc>,
}

impl<T: Send + Sync, E: Clone + Send + Sync> Verified<T, E> {
    /// Keeps as many as the options say.
    pub(crate) fn new(clock: Arc<dyn Clock>, options: VerifierOptions) -> Self {
        Self::weighed(clock, options, UnitWeighter)
    }
}

impl<T, E, W> Verified<T, E, W>
where
    T: Send + Sync,
    E: Clone + Send + Sync,
    W: Weighter<Digest, Arc<Known<T>>> + Clone + Send + Sync,
{
    /// The same where some count for more than one.
    pub(crate) fn weighed(clock: Arc<dyn Clock>, options: VerifierOptions, weighter: W) -> Self {
        let size = options.cache_size.max(1);
        Self {
            clock,
            ttl: TimeDelta::from_std(options.cache_ttl).unwrap_or(TimeDelta::MAX),
            cache: Cache::with_weighter(size, size as u64, weighter),
            flights: Flights::default(),
            oldest_generation: AtomicU64::new(0),
        }
    }

    /// What is known and still true.
    pub(crate) fn fresh(&self, digest: &Digest, now: DateTime<Utc>) -> Option<Arc<Known<T>>> {
        let oldest = || self.oldest_generation.load(Ordering::Acquire);
        let is_fresh = |known: &Known<T>| now < known.fresh_until && oldest() <= known.generation;
        self.cache.get(digest).filter(|known| is_fresh(known))
    }

    /// What was known, whether or not it is still true.
    pub(crate) fn peek(&self, digest: &Digest) -> Option<Arc<Known<T>>> {
        self.cache.peek(digest)
    }

    /// Looks together with everybody else who presents the same credential now, and again until
    /// what was seen is still true at the end. `look` is told how many changes there were before.
    pub(crate) async fn look<Look, Looking>(
        &self,
        digest: Digest,
        look: Look,
    ) -> Result<Arc<Known<T>>, E>
    where
        Look: Fn(u64) -> Looking + Send,
        Looking: Future<Output = Result<Seen<T>, E>> + Send,
    {
        let ticket = self.flights.join(digest);
        ticket.result.get_or_init(|| self.settle(&digest, look)).await.clone()
    }

    async fn settle<Look, Looking>(&self, digest: &Digest, look: Look) -> Result<Arc<Known<T>>, E>
    where
        Look: Fn(u64) -> Looking + Send,
        Looking: Future<Output = Result<Seen<T>, E>> + Send,
    {
        loop {
            let generation = self.flights.generation();
            match look(generation).await {
                Ok(seen) => {
                    let known = Arc::new(self.know(seen, generation));
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

    fn know(&self, seen: Seen<T>, generation: u64) -> Known<T> {
        let Seen { value, asked_at, expires_at } = seen;
        let stale_at = asked_at.checked_add_signed(self.ttl);
        let fresh_until = stale_at.map_or(expires_at, |stale_at| stale_at.min(expires_at));
        Known { value, generation, fresh_until }
    }

    /// Forgets some of them.
    pub(crate) fn forget(&self, is_stale: impl Fn(&T) -> bool) {
        self.flights.change(|_| self.cache.retain(|_, known| !is_stale(known)));
    }

    /// Has all of them looked for again; what does not change about them may be peeked at.
    pub(crate) fn forget_all(&self) {
        self.flights.change(|generation| {
            self.oldest_generation.store(generation, Ordering::Release);
        });
    }

    /// Knows nothing any more, from the instant on in which `change` happens.
    #[cfg(any(feature = "biscuit", feature = "session"))]
    pub(crate) fn start_over(&self, change: impl FnOnce()) {
        self.flights.change(|_| {
            change();
            self.cache.clear();
        });
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// How many are known.
    pub(crate) fn len(&self) -> usize {
        self.cache.len()
    }
}

impl<T> Deref for Known<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
