//! One address of an app: its connections, and what is on its way to it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{config::Limits, pool::Pool};

/// Marks in [`Upstream::in_flight`] that no route leads here any more. One atomic holds both, so
/// that a request either is seen by whoever drains, or sees itself that it came too late.
const RETIRED: usize = 1 << (usize::BITS - 1);

/// One address of an app.
pub(crate) struct Upstream {
    address: SocketAddr,
    in_flight: AtomicUsize,
    left: Notify,
    closing_tunnels: CancellationToken,
    pool: Arc<Pool>,
}

/// How a [`drain`](crate::Ingress::drain) ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Nothing is on its way.
    Idle,
    /// The time was up.
    TimedOut {
        /// So many requests and tunnels were still on their way.
        left: usize,
    },
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            address,
            in_flight: AtomicUsize::new(0),
            left: Notify::new(),
            closing_tunnels: CancellationToken::new(),
            pool: Pool::new(limits),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Resolves for tunnels once they have to end.
    pub(crate) fn closing_tunnels(&self) -> &CancellationToken {
        &self.closing_tunnels
    }

    /// Counts a request, unless no route leads here any more: then it has to be routed again.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<InFlight> {
        let before = self.in_flight.fetch_add(1, Ordering::SeqCst);
        let entered = InFlight(Arc::clone(self));
        (before & RETIRED == 0).then_some(entered)
    }

    /// No route leads here any more: idle connections are closed at once.
    pub(crate) fn retire(&self) {
        self.in_flight.fetch_or(RETIRED, Ordering::SeqCst);
        self.pool.clear();
    }

    /// Whether anything is on its way here.
    pub(crate) fn is_used(&self) -> bool {
        self.count() != 0
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.in_flight.load(Ordering::SeqCst) & RETIRED != 0
    }

    /// Waits until nothing is on its way here; closes the tunnels when the time is up.
    pub(crate) async fn drain(&self, limit: Duration) -> Drained {
        if timeout(limit, self.idle()).await.is_ok() {
            return Drained::Idle;
        }
        let left = self.count();
        self.closing_tunnels.cancel();
        if left == 0 { Drained::Idle } else { Drained::TimedOut { left } }
    }

    async fn idle(&self) {
        loop {
            let left = self.left.notified();
            let mut left = std::pin::pin!(left);
            left.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }

    fn count(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst) & !RETIRED
    }
}

/// Marks that a request or a tunnel is on its way.
pub(crate) struct InFlight(Arc<Upstream>);

impl InFlight {
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) & !RETIRED == 1 {
            self.0.left.notify_waiters();
        }
    }
}
