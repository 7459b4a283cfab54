//! One at a time, for each key.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

/// Locks that are made when they are asked for.
#[derive(Debug)]
pub(crate) struct Locks<K>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Locks<K> {
    /// Waits until nobody else has it.
    pub(crate) async fn take(&self, key: K) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody has or waits for.
            locks.retain(|_, lock| 1 < Arc::strong_count(lock));
            Arc::clone(locks.entry(key).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::Locks;

    #[tokio::test]
    async fn only_the_same_key_waits() {
        let locks = Locks::default();
        let one = locks.take(1).await;
        let _two = locks.take(2).await;
        assert!(timeout(Duration::from_millis(20), locks.take(1)).await.is_err());
        drop(one);
        drop(locks.take(1).await);
    }
}
