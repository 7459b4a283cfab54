//! One look at a credential at a time, however many ask, and none that outlives a change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

/// What stands for a presented credential in memory.
pub(crate) type Digest = [u8; 32];

/// The credentials that are being looked at now, and a count of the changes that could make what is
/// seen there stale.
pub(crate) struct Flights<T>(Mutex<State<T>>);

struct State<T> {
    generation: u64,
    running: HashMap<Digest, Arc<OnceCell<T>>>,
}

/// A caller's part in one look. When the last one leaves early, the look is forgotten.
pub(crate) struct Ticket<'a, T> {
    flights: &'a Flights<T>,
    digest: Digest,
    pub(crate) result: Arc<OnceCell<T>>,
}

impl<T> Flights<T> {
    pub(crate) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Joins the running look at a credential, or begins one.
    pub(crate) fn join(&self, digest: Digest) -> Ticket<'_, T> {
        let result = Arc::clone(self.state().running.entry(digest).or_default());
        Ticket { flights: self, digest, result }
    }

    /// Ends the look at a credential, unless something has changed since `generation`: then it has to be
    /// repeated, and `false` is returned. `keep` runs before any further change.
    pub(crate) fn land(&self, digest: &Digest, generation: u64, keep: impl FnOnce()) -> bool {
        let mut state = self.state();
        let is_current = state.generation == generation;
        if is_current {
            keep();
            state.running.remove(digest);
        }
        is_current
    }

    /// Ends the look at a credential without anything to keep.
    pub(crate) fn abort(&self, digest: &Digest) {
        self.state().running.remove(digest);
    }

    /// Makes everything stale that is being looked at now; `forget` runs in the same instant and
    /// gets the new generation.
    pub(crate) fn change(&self, forget: impl FnOnce(u64)) {
        let mut state = self.state();
        state.generation += 1;
        forget(state.generation);
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::new(State { generation: 0, running: HashMap::new() }))
    }
}

impl<T> Drop for Ticket<'_, T> {
    fn drop(&mut self) {
        let mut state = self.flights.state();
        // Ours and the map's: references are added under the lock only.
        let is_last = Arc::strong_count(&self.result) == 2;
        let is_running = state
            .running
            .get(&self.digest)
            .is_some_and(|running| Arc::ptr_eq(running, &self.result));
        if is_last && is_running {
            state.running.remove(&self.digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Flights;

    #[test]
    fn a_look_that_nobody_waits_for_any_more_leaves_nothing_behind() {
        let flights: Flights<()> = Flights::default();
        let first = flights.join([1; 32]);
        let second = flights.join([1; 32]);
        assert!(Arc::ptr_eq(&first.result, &second.result));

        drop(first);
        assert!(Arc::ptr_eq(&second.result, &flights.join([1; 32]).result));
        drop(second);
        assert!(flights.state().running.is_empty());
    }

    #[test]
    fn a_look_that_has_landed_is_not_joined_and_does_not_disturb_the_next_one() {
        let flights: Flights<()> = Flights::default();
        let landed = [(); 2].map(|()| flights.join([1; 32]));
        assert!(flights.land(&[1; 32], 0, || ()));

        let next = flights.join([1; 32]);
        assert!(!Arc::ptr_eq(&landed[0].result, &next.result));
        drop(landed);
        assert!(Arc::ptr_eq(&next.result, &flights.join([1; 32]).result));
    }

    #[test]
    fn nothing_is_kept_of_a_look_that_began_before_a_change() {
        let flights: Flights<()> = Flights::default();
        let before = flights.generation();
        flights.change(|_| ());

        assert!(!flights.land(&[1; 32], before, || panic!("kept what is stale")));
    }
}
