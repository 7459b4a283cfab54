//! Waits for a change that somebody signals, without trusting that every signal arrives.

use std::time::Duration;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use windlass_storage::Signal;

use crate::Control;

/// Tells when something may have changed: on its signal, after signals were lost, and now and
/// then in any case.
pub(crate) struct Watch {
    signals: Receiver<Signal>,
    of: Signal,
    fallback: Duration,
}

impl Watch {
    /// Misses nothing that is committed from now on.
    pub(crate) fn new(control: &Control, of: Signal) -> Self {
        Self { signals: control.store().signals(), of, fallback: control.settings().poll }
    }

    /// Returns when it is time to look again.
    pub(crate) async fn changed(&mut self) {
        let signalled = async {
            loop {
                match self.signals.recv().await {
                    Ok(signal) if signal == self.of || signal == Signal::Anything => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    // The store is gone, and with it everything worth waiting for.
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Whether it was signalled or the time has come makes no difference: look again.
        let _ = tokio::time::timeout(self.fallback, signalled).await;
    }
}
