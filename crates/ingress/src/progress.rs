//! Time limits that count only while nothing moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Tells whoever waits that something moved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicBool>);

impl Progress {
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Waits for `future` until nothing has moved for `limit`, and at most for as long again.
    pub(crate) async fn until_still<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        loop {
            match tokio::time::timeout(limit, future.as_mut()).await {
                Ok(output) => return Some(output),
                Err(_) if self.0.swap(false, Ordering::Relaxed) => {}
                Err(_) => return None,
            }
        }
    }
}
