//! Accepts connections of clients, and ends gracefully.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{headers::Client, proxy::Proxy, telemetry::ConnectionOpen, tunnel::Tunnel};

/// The most that is read from a client at once, and kept for it.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long to wait when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a client gets that connects when there are too many.
const TOO_MANY_CONNECTIONS: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n",
    "cache-control: no-store\r\nretry-after: 1\r\nconnection: close\r\n\r\n",
    "{\"error\":\"Service Unavailable\",\"message\":\"too many connections\",",
    "\"code\":\"too_many_connections\",\"request_id\":\"\"}\n",
);

/// How long a client that is turned away may take to read that.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves one listener.
pub(crate) struct Server {
    proxy: Arc<Proxy>,
    http: http1::Builder,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
    tunnels: Tunnels,
    connections: JoinSet<()>,
}

/// The tunnels of one server.
#[derive(Clone, Default)]
struct Tunnels {
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// What the requests of one connection share.
pub(crate) struct ClientConnection {
    client: Client,
    tunnels: Tunnels,
    /// Kept by tunnels too, so that they count.
    _place: (OwnedSemaphorePermit, ConnectionOpen),
}

impl ClientConnection {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Starts a tunnel that ends with the server.
    pub(crate) fn spawn_tunnel(self: &Arc<Self>, tunnel: impl FnOnce(CancellationToken) -> Tunnel) {
        let tunnel = tunnel(self.tunnels.closing.clone());
        let connection = Arc::clone(self);
        self.tunnels.tasks.spawn(async move {
            tunnel.run().await;
            drop(connection);
        });
    }
}

impl Server {
    pub(crate) fn new(proxy: Arc<Proxy>) -> Self {
        let limits = proxy.limits();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_read)
            .max_header_size(limits.header_bytes)
            .max_buf_size(BUFFER_BYTES.max(limits.header_bytes));
        let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
        Self {
            proxy,
            http,
            places,
            stopping: CancellationToken::new(),
            tunnels: Tunnels::default(),
            connections: JoinSet::new(),
        }
    }

    pub(crate) async fn run(mut self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => self.welcome(stream, address),
                    Err(error) => pause_after(&error).await,
                },
                Some(_) = self.connections.join_next() => {}
                () = &mut shutdown => break,
            }
        }
        drop(listener);
        self.stop().await;
    }

    fn welcome(&mut self, stream: TcpStream, address: SocketAddr) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.proxy.telemetry().connection_refused();
            self.connections.spawn(turn_away(stream));
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a client was gone at once");
            return;
        }
        let proxy = Arc::clone(&self.proxy);
        let connection = Arc::new(ClientConnection {
            client: Client::new(address.ip(), proxy.external()),
            tunnels: self.tunnels.clone(),
            _place: (place, proxy.telemetry().connect()),
        });
        let service = service_fn(move |request| {
            let (proxy, connection) = (Arc::clone(&proxy), Arc::clone(&connection));
            async move { Ok::<_, Infallible>(proxy.handle(request, &connection).await) }
        });
        let serving = self.http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let stopping = self.stopping.clone();
        self.connections.spawn(async move {
            let mut serving = std::pin::pin!(serving);
            let end = tokio::select! {
                end = serving.as_mut() => end,
                () = stopping.cancelled() => {
                    serving.as_mut().graceful_shutdown();
                    serving.await
                }
            };
            if let Err(error) = end {
                tracing::debug!(%error, "a client's connection broke");
            }
        });
    }

    /// Lets what is on its way end, as long as there is time.
    async fn stop(self) {
        let Self { proxy, stopping, tunnels, mut connections, .. } = self;
        let deadline = Instant::now() + proxy.limits().shutdown;
        stopping.cancel();
        let all = async { while connections.join_next().await.is_some() {} };
        if timeout_at(deadline, all).await.is_err() {
            tracing::warn!(connections = connections.len(), "requests were cut off");
            connections.shutdown().await;
        }
        tunnels.tasks.close();
        let _ = timeout_at(deadline, tunnels.tasks.wait()).await;
        tunnels.closing.cancel();
        tunnels.tasks.wait().await;
    }
}

async fn pause_after(error: &io::Error) {
    let is_about_one_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    );
    if !is_about_one_client {
        tracing::error!(%error, "cannot accept connections");
        sleep(ACCEPT_PAUSE).await;
    }
}

async fn turn_away(mut stream: TcpStream) {
    let farewell = async {
        stream.write_all(TOO_MANY_CONNECTIONS.as_bytes()).await?;
        stream.shutdown().await?;
        // Closed with something unread, the connection would be reset and the answer lost.
        let mut rest = [0; 1024];
        while 0 < stream.read(&mut rest).await? {}
        Ok::<_, io::Error>(())
    };
    let _ = timeout(FAREWELL, farewell).await;
}
