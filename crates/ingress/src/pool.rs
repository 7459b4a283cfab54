//! Connections to one address of an app, kept for the next request.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    runtime::Handle,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{body::RequestBody, config::Limits, upstream::InFlight};

/// A connection that is ready for a request.
pub(crate) type Connection = SendRequest<RequestBody>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the app does not accept connections: {0}")]
    Refused(#[from] io::Error),
    #[error("the app did not accept a connection in time")]
    TimedOut,
    #[error("the connection could not be set up: {0}")]
    Handshake(#[from] hyper::Error),
}

/// The idle connections to one address.
pub(crate) struct Pool {
    idle: Mutex<IdleConnections>,
    most: usize,
    keep: Duration,
}

#[derive(Default)]
struct IdleConnections {
    /// The one used last is at the back, and is taken first.
    queue: VecDeque<Idle>,
    /// Whether a task closes them when their time is up.
    is_swept: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let idle = Mutex::default();
        Arc::new(Self { idle, most: limits.idle_connections, keep: limits.idle_connection })
    }

    /// An idle connection, if there is one.
    pub(crate) fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        self.discard_old(&mut idle);
        // The last ones may not have noticed yet that their response is complete.
        let ready = idle.queue.iter().rposition(|idle| idle.connection.is_ready())?;
        idle.queue.remove(ready).map(|idle| idle.connection)
    }

    fn put(self: &Arc<Self>, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.lock();
        self.discard_old(&mut idle);
        if idle.queue.len() < self.most {
            idle.queue.push_back(Idle { connection, since: Instant::now() });
        }
        // Bodies, which give connections back, may be dropped after the runtime.
        if !idle.is_swept
            && let Ok(runtime) = Handle::try_current()
        {
            idle.is_swept = true;
            runtime.spawn(Self::sweep(Arc::downgrade(self)));
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().queue.clear();
    }

    /// Closes connections when their time is up, as long as there are any.
    async fn sweep(pool: Weak<Self>) {
        while let Some(next) = pool.upgrade().and_then(|pool| pool.next_sweep()) {
            sleep_until(next).await;
        }
    }

    /// Closes the connections whose time is up; when to do so again, unless none is left.
    fn next_sweep(&self) -> Option<Instant> {
        let mut idle = self.lock();
        self.discard_old(&mut idle);
        let next = idle.queue.front().map(|oldest| oldest.since + self.keep);
        idle.is_swept = next.is_some();
        next
    }

    fn discard_old(&self, idle: &mut IdleConnections) {
        while idle.queue.front().is_some_and(|oldest| {
            self.keep <= oldest.since.elapsed() || oldest.connection.is_closed()
        }) {
            idle.queue.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, IdleConnections> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a connection.
pub(crate) async fn connect(
    address: SocketAddr,
    limits: &Limits,
) -> Result<Connection, ConnectError> {
    let stream = timeout(limits.connect, TcpStream::connect(address))
        .await
        .map_err(|_| ConnectError::TimedOut)??;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::Builder::new().handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Whoever uses the connection gets its errors.
        let _ = connection.with_upgrades().await;
    });
    Ok(sender)
}

/// A connection in use, and the mark that a request is on its way.
pub(crate) struct Lease {
    connection: Connection,
    in_flight: InFlight,
}

impl Lease {
    pub(crate) fn new(connection: Connection, in_flight: InFlight) -> Self {
        Self { connection, in_flight }
    }

    /// Resolves once a tunnel over this connection has to end.
    pub(crate) fn closing_tunnels(&self) -> &CancellationToken {
        self.in_flight.upstream().closing_tunnels()
    }

    /// Keeps the connection for the next request.
    pub(crate) fn give_back(self) {
        if !self.in_flight.upstream().is_retired() {
            self.in_flight.upstream().pool().put(self.connection);
        }
    }
}
