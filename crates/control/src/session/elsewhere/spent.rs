//! Which ways back have been gone.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

/// Most that are kept in mind.
const MOST_KEPT: usize = 10_000;

/// The states with which browsers have come back, until they are worth nothing anyway. Each server
/// keeps its own: GitHub takes a code once, wherever it is presented.
#[derive(Default)]
pub(crate) struct Spent(Mutex<HashMap<String, DateTime<Utc>>>);

impl Spent {
    /// Whether this is the first time.
    pub(super) fn spend(&self, state: &str, until: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.contains_key(state) {
            return false;
        }
        if MOST_KEPT <= spent.len() {
            spent.retain(|_, until| now < *until);
        }
        if MOST_KEPT <= spent.len() {
            let oldest = spent.iter().min_by_key(|(_, until)| **until);
            let oldest = oldest.map(|(state, _)| state.clone());
            oldest.and_then(|state| spent.remove(&state));
        }
        spent.insert(state.to_owned(), until);
        true
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{MOST_KEPT, Spent};

    #[test]
    fn a_way_back_is_gone_once_and_memory_is_bounded() {
        let spent = Spent::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let until = now + TimeDelta::minutes(10);
        assert!(spent.spend("last", until + TimeDelta::seconds(1), now));
        for at in 0..MOST_KEPT + 10 {
            assert!(spent.spend(&at.to_string(), until, now), "{at}");
        }
        assert!(!spent.spend("last", until, now));
        assert_eq!(spent.0.lock().unwrap().len(), MOST_KEPT);
        assert!(spent.spend("later", until + TimeDelta::minutes(9), until + TimeDelta::seconds(2)));
        assert_eq!(spent.0.lock().unwrap().len(), 1, "what is over is forgotten");
    }
}
