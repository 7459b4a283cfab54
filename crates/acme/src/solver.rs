//! Whoever answers an authority's challenges.

use std::{error::Error, mem, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{runtime::Handle, time::timeout};

use crate::error::AcmeError;

/// How long it may take to withdraw one challenge; nobody waits longer.
const WITHDRAWAL: Duration = Duration::from_secs(10);

/// Why a challenge cannot be presented.
pub type SolverError = Box<dyn Error + Send + Sync>;

/// Whoever answers at the hosts that certificates are for.
#[async_trait]
pub trait ChallengeSolver: Send + Sync {
    /// From when this returns until it is withdrawn, requests for
    /// `/.well-known/acme-challenge/<token>` at any of the hosts are answered with the key
    /// authorization.
    async fn present(&self, token: &str, key_authorization: &str) -> Result<(), SolverError>;

    /// The token is not asked for any more. It may never have been presented, or be withdrawn
    /// already.
    async fn withdraw(&self, token: &str);
}

/// The challenges that are presented for one order. They are withdrawn however it ends: where it
/// is given up half way, by a task of its own.
pub(crate) struct Presented {
    solver: Arc<dyn ChallengeSolver>,
    tokens: Vec<String>,
}

impl Presented {
    pub(crate) fn new(solver: Arc<dyn ChallengeSolver>) -> Self {
        Self { solver, tokens: Vec::new() }
    }

    pub(crate) async fn present(
        &mut self,
        host: &str,
        token: &str,
        key_authorization: &str,
    ) -> Result<(), AcmeError> {
        // Noted first: one that was half presented is withdrawn, too.
        self.tokens.push(token.to_owned());
        let presented = self.solver.present(token, key_authorization).await;
        presented.map_err(|source| AcmeError::NotPresented { host: host.to_owned(), source })
    }

    pub(crate) async fn withdraw(mut self) {
        while let Some(token) = self.tokens.last() {
            withdraw(&*self.solver, token).await;
            self.tokens.pop();
        }
    }
}

async fn withdraw(solver: &dyn ChallengeSolver, token: &str) {
    // Whoever takes longer is left alone with it.
    let _ = timeout(WITHDRAWAL, solver.withdraw(token)).await;
}

impl Drop for Presented {
    fn drop(&mut self) {
        let (solver, tokens) = (Arc::clone(&self.solver), mem::take(&mut self.tokens));
        if tokens.is_empty() {
            return;
        }
        // Without a runtime the process is about to end, and with it whoever answers.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                for token in tokens {
                    withdraw(&*solver, &token).await;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    use async_trait::async_trait;
    use tokio::{runtime, sync::oneshot};

    use super::{ChallengeSolver, Presented, SolverError};

    /// Counts what is presented and not withdrawn.
    #[derive(Default)]
    struct Counter(AtomicUsize);

    #[async_trait]
    impl ChallengeSolver for Counter {
        async fn present(&self, _: &str, _: &str) -> Result<(), SolverError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        async fn withdraw(&self, _: &str) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    async fn presented(counter: &Arc<Counter>) -> Presented {
        let mut presented = Presented::new(Arc::<Counter>::clone(counter));
        for token in ["a", "b"] {
            presented.present("shop.example", token, "a.b").await.unwrap();
        }
        assert_eq!(counter.0.load(Ordering::SeqCst), 2);
        presented
    }

    #[test]
    fn what_is_dropped_is_withdrawn_by_the_runtime() {
        let counter = Arc::new(Counter::default());
        let runtime = runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            drop(presented(&counter).await);
            while counter.0.load(Ordering::SeqCst) != 0 {
                tokio::task::yield_now().await;
            }
        });
    }

    #[test]
    fn what_is_dropped_with_its_runtime_does_no_harm() {
        let counter = Arc::new(Counter::default());
        let runtime = runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        let (tell, told) = oneshot::channel();
        let of_the_task = Arc::clone(&counter);
        runtime.spawn(async move {
            let presented = presented(&of_the_task).await;
            tell.send(()).unwrap();
            pending::<()>().await;
            drop(presented);
        });
        runtime.block_on(told).unwrap();
        drop(runtime);
    }

    #[test]
    fn what_is_dropped_without_a_runtime_does_no_harm() {
        let counter = Arc::new(Counter::default());
        let runtime = runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let presented = runtime.block_on(presented(&counter));
        thread::spawn(move || drop(presented)).join().unwrap();
    }
}
