//! When credentials were last used, until somebody writes it down.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, Utc};

/// The notes of all credentials that have been in use lately, by what they are known by.
pub(crate) struct Uses<Id>(Mutex<HashMap<Id, Arc<LastUse>>>);

/// The last use of one credential. Times are microseconds; they move forward only.
pub(crate) struct LastUse {
    noted: AtomicI64,
    taken: AtomicI64,
}

impl<Id: Copy + Ord + Hash> Uses<Id> {
    /// Where uses of a credential are noted.
    pub(crate) fn of(&self, id: Id) -> Arc<LastUse> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(uses.entry(id).or_insert_with(|| Arc::new(LastUse::never())))
    }

    /// What was noted since the last call, ordered by credential, so that concurrent writers of such
    /// batches lock rows in the same order.
    pub(crate) fn take(&self) -> Vec<(Id, DateTime<Utc>)> {
        let mut taken = Vec::new();
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.retain(|id, last| {
            // Asked first: nobody can note anything once this is the only reference.
            let is_in_use = 1 < Arc::strong_count(last);
            taken.extend(last.take().map(|at| (*id, at)));
            is_in_use
        });
        taken.sort_unstable();
        taken
    }
}

impl LastUse {
    fn never() -> Self {
        Self { noted: AtomicI64::new(i64::MIN), taken: AtomicI64::new(i64::MIN) }
    }

    pub(crate) fn note(&self, at: DateTime<Utc>) {
        self.noted.fetch_max(at.timestamp_micros(), Ordering::Relaxed);
    }

    /// When it was last used here, as far as somebody still keeps that in mind.
    #[cfg(feature = "session")]
    pub(crate) fn noted(&self) -> Option<DateTime<Utc>> {
        let noted = self.noted.load(Ordering::Relaxed);
        DateTime::from_timestamp_micros(noted).filter(|_| noted != i64::MIN)
    }

    fn take(&self) -> Option<DateTime<Utc>> {
        let noted = self.noted.load(Ordering::Relaxed);
        let before = self.taken.fetch_max(noted, Ordering::Relaxed);
        if before < noted { DateTime::from_timestamp_micros(noted) } else { None }
    }
}

impl<Id> Default for Uses<Id> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use windlass_domain::test_util::{CountingEntropy, ManualClock};

    use super::Uses;
    use crate::ApiKeyId;
    #[test]
    fn uses_move_forward_only_and_are_taken_once() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let (uses, key) = (Uses::default(), ApiKeyId::generate(entropy.with(&clock)));
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let last = uses.of(key);

        assert_eq!(uses.take(), []);
        last.note(at(20));
        last.note(at(10));
        assert_eq!(uses.take(), [(key, at(20))]);
        last.note(at(15));
        assert_eq!(uses.take(), [], "a clock that was set back unmakes nothing");
        last.note(at(30));
        drop(last);
        assert_eq!(uses.take(), [(key, at(30))], "the last note outlives its cache entry");
        assert!(uses.0.lock().unwrap().is_empty());
    }
}
