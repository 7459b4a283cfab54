//! Time for limits, from the clock that everything here goes by.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use governor::clock;
use windlass_domain::Clock;

/// How much time has passed. Where the clock is put back, none has: what was counted before would
/// otherwise lie in the future, and nobody could ask until then.
#[derive(Clone)]
pub(super) struct Pace(Arc<Paced>);

struct Paced {
    clock: Arc<dyn Clock>,
    passed: Mutex<(DateTime<Utc>, Duration)>,
}

impl Pace {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let passed = Mutex::new((clock.now(), Duration::ZERO));
        Self(Arc::new(Paced { clock, passed }))
    }
}

impl clock::Clock for Pace {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.0.clock.now();
        let mut passed = self.0.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, total) = *passed;
        let total = total.saturating_add((now - last).to_std().unwrap_or_default());
        *passed = (now, total);
        total
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}
