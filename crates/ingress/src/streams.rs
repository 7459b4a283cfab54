//! The requests under way on one connection of HTTP/2.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

/// Counts them. HTTP/2 itself only says how many there may be, not for how long there was none.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<watch::Sender<usize>>);

/// Counts one of them until it is dropped.
pub(crate) struct OpenStream(Arc<watch::Sender<usize>>);

impl Streams {
    pub(crate) fn open(&self) -> OpenStream {
        self.0.send_modify(|open| *open += 1);
        OpenStream(Arc::clone(&self.0))
    }

    /// Resolves once there has been none for as long as `limit`.
    pub(crate) async fn silent(&self, limit: Duration) {
        let mut open = self.0.subscribe();
        loop {
            // It fails where nobody counts any more, but we do.
            let _ = open.wait_for(|open| *open == 0).await;
            if timeout(limit, open.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
    }
}
