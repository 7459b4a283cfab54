//! Slow hashing under a bound: so many at a time, so many more in the queue, and no others.

use std::{error::Error, num::NonZeroUsize, sync::Arc, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Turns to compute a hash. Clones share the bound.
#[derive(Clone)]
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// One turn, which ends when it is dropped.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are waiting already.
    #[error("too many credentials are being checked")]
    Busy,
    /// The stored hash is unreadable, what is to be hashed is too long, or the server is stopping.
    #[error("a hash could not be computed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl Turns {
    pub(crate) fn new(concurrency: NonZeroUsize, queue: usize) -> Self {
        let turns = concurrency.get().min(Semaphore::MAX_PERMITS);
        let places = turns.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(places)), turns: Arc::new(Semaphore::new(turns)) }
    }

    /// Waits for a turn; whoever does not fit into the queue is turned away.
    pub(crate) async fn take(&self) -> Result<Turn, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(HashError::failed)?;
        Ok(Turn { _place: place, _turn: turn })
    }
}

impl HashError {
    pub(crate) fn failed(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed(Box::new(cause))
    }
}

/// How many hashes may be computed at once by default: the rest of the machine is for requests.
pub(crate) fn half_the_processors() -> NonZeroUsize {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(processors / 2).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, pin::pin};

    use futures_util::FutureExt as _;

    use super::{HashError, Turns};

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_turned_away() {
        let turns = Turns::new(NonZeroUsize::MIN, 1);
        let first = turns.take().await.unwrap();
        let mut second = pin!(turns.take());
        assert!(second.as_mut().now_or_never().is_none(), "it waits");
        assert!(matches!(turns.clone().take().await, Err(HashError::Busy)));

        drop(first);
        assert!(second.await.is_ok());
        assert!(turns.take().await.is_ok());
    }
}
