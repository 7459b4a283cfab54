//! The only two things the domain takes from the outside: time and randomness.

use chrono::{DateTime, SubsecRound as _, Utc};

/// Source of the current time.
pub trait Clock: Send + Sync {
    /// The current instant, to the microsecond: what every database here can keep.
    fn now(&self) -> DateTime<Utc>;
}

/// Source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `buf` with fresh bytes.
    fn fill(&self, buf: &mut [u8]);
}

/// Both effects together, as one context parameter.
#[derive(Clone, Copy)]
pub struct Effects<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
}

/// The wall clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the wall clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// The random generator of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buf: &mut [u8]) {
        getrandom::fill(buf).expect("the operating system must be able to give random bytes");
    }
}

/// Deterministic effects for tests.
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod test_util {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Clock, Effects, Entropy};

    /// A clock that stands still until it is advanced.
    #[derive(Debug)]
    pub struct ManualClock(AtomicI64);

    impl Default for ManualClock {
        fn default() -> Self {
            Self(AtomicI64::new(1_767_225_600_000)) // 2026-01-01T00:00:00Z
        }
    }

    impl ManualClock {
        /// Moves time forward.
        pub fn advance(&self, by: TimeDelta) {
            self.0.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap_or_default()
        }
    }

    /// Counts upwards: predictable, and every identifier is still distinct.
    #[derive(Debug, Default)]
    pub struct CountingEntropy(AtomicU64);

    impl CountingEntropy {
        /// This source together with a clock.
        pub fn with<'a>(&'a self, clock: &'a dyn Clock) -> Effects<'a> {
            Effects { clock, entropy: self }
        }
    }

    impl Entropy for CountingEntropy {
        fn fill(&self, buf: &mut [u8]) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            buf.fill(0);
            for (to, from) in buf.iter_mut().rev().zip(n.iter().rev()) {
                *to = *from;
            }
        }
    }
}
