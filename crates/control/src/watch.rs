//! Waits for a change that somebody signals, without trusting that every signal arrives.

use std::time::Duration;

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, timeout, timeout_at},
};
use windlass_storage::Signal;

use crate::{Control, ControlError};

/// Tells when something may have changed: on its signal, after signals were lost, and now and
/// then in any case.
pub(crate) struct Watch {
    signals: Receiver<Signal>,
    of: Of,
    fallback: Duration,
}

enum Of {
    One(Signal),
    AnyEnvironment,
}

impl Of {
    fn is_told_by(&self, signal: Signal) -> bool {
        match self {
            Self::One(of) => signal == *of,
            Self::AnyEnvironment => matches!(signal, Signal::Environment(_)),
        }
    }
}

impl Watch {
    /// Misses nothing that is committed from now on.
    pub(crate) fn new(control: &Control, of: Signal) -> Self {
        Self::with(control, Of::One(of), control.settings().poll)
    }

    /// The same for whatever follows from the state of any environment; without a signal it is
    /// time to look again after `fallback`.
    pub(crate) fn of_environments(control: &Control, fallback: Duration) -> Self {
        Self::with(control, Of::AnyEnvironment, fallback)
    }

    fn with(control: &Control, of: Of, fallback: Duration) -> Self {
        Self { signals: control.store().signals(), of, fallback }
    }

    /// Returns when it is time to look again.
    pub(crate) async fn changed(&mut self) {
        let signalled = async {
            loop {
                match self.signals.recv().await {
                    Ok(signal) if self.of.is_told_by(signal) || signal == Signal::Anything => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    // The store is gone, and with it everything worth waiting for.
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Whether it was signalled or the time has come makes no difference: look again.
        let _ = timeout(self.fallback, signalled).await;
    }

    /// Looks at every change until it is over, or else until `at_most` has passed; gives what was
    /// seen last.
    pub(crate) async fn until<T, Looking>(
        mut self,
        at_most: Duration,
        look: impl Fn() -> Looking,
        is_over: impl Fn(&T) -> bool,
    ) -> Result<T, ControlError>
    where
        Looking: Future<Output = Result<T, ControlError>>,
    {
        let deadline = Instant::now() + at_most;
        loop {
            let seen = look().await?;
            if is_over(&seen) || timeout_at(deadline, self.changed()).await.is_err() {
                return Ok(seen);
            }
        }
    }
}
