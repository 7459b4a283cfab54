//! Serves the connection of one client.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    body::ResponseBody,
    config::{External, Limits},
    headers::Client,
    proxy::Proxy,
    streams::{OpenStream, Streams},
    telemetry::ConnectionOpen,
    tls::{HttpVersion, Secured, Tls},
    tunnel::Tunnel,
};

/// The most that is read from a client at once and kept for it, and the most that is kept of an
/// answer that it is slow to take.
const BUFFER_BYTES: usize = 64 * 1024;

/// How much a client may send over HTTP/2 before the app takes it: for one request, and for all of
/// a connection, so that one request that nobody reads does not hold up the others.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How HTTP is spoken.
#[derive(Clone)]
pub(crate) struct Http {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    /// How long a connection may be silent.
    silence: Duration,
}

/// The tunnels of one server.
#[derive(Clone, Default)]
pub(crate) struct Tunnels {
    pub(crate) tasks: TaskTracker,
    pub(crate) closing: CancellationToken,
}

/// A client that has connected.
pub(crate) struct Visit {
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) http: Http,
    pub(crate) address: IpAddr,
    pub(crate) tunnels: Tunnels,
    pub(crate) stopping: CancellationToken,
    pub(crate) place: (OwnedSemaphorePermit, ConnectionOpen),
}

/// What the requests of one connection share.
pub(crate) struct ClientConnection {
    client: Client,
    secured: Option<Secured>,
    streams: Option<Streams>,
    tunnels: Tunnels,
    /// Kept by tunnels too, so that they count.
    _place: (OwnedSemaphorePermit, ConnectionOpen),
}

impl ClientConnection {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What the client knows of us, where it uses TLS.
    pub(crate) fn secured(&self) -> Option<&Secured> {
        self.secured.as_ref()
    }

    /// Counts a request where the connection has to know how many there are.
    pub(crate) fn open_stream(&self) -> Option<OpenStream> {
        self.streams.as_ref().map(Streams::open)
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

impl Http {
    pub(crate) fn new(limits: &Limits) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_read)
            .max_header_size(limits.header_bytes)
            .max_buf_size(BUFFER_BYTES.max(limits.header_bytes));
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        // What limits floods of resets is left as it is in hyper.
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(BUFFER_BYTES)
            .keep_alive_interval(limits.header_read)
            .keep_alive_timeout(limits.header_read);
        Self { http1, http2, silence: limits.header_read }
    }
}

impl Visit {
    /// Serves a client without TLS.
    pub(crate) async fn serve(self, stream: TcpStream) {
        let external = self.proxy.external();
        self.serve_http1(stream, external, None).await;
    }

    /// Serves a client once it has agreed on TLS.
    pub(crate) async fn serve_tls(self, stream: TcpStream, tls: Tls) {
        let handshake = tokio::select! {
            handshake = tls.accept(stream) => handshake,
            () = self.stopping.cancelled() => return,
        };
        let handshake = match handshake {
            Ok(handshake) => handshake,
            Err(error) => {
                self.proxy.telemetry().handshake_failed(error.kind());
                tracing::debug!(%error, "there is no TLS with a client");
                return;
            }
        };
        let external = self.proxy.external_with_tls();
        let (stream, secured) = (handshake.stream, Some(handshake.secured));
        match handshake.version {
            HttpVersion::Http1 => self.serve_http1(stream, external, secured).await,
            HttpVersion::Http2 => self.serve_http2(stream, external, secured).await,
        }
    }

    async fn serve_http1<S>(self, stream: S, external: External, secured: Option<Secured>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (http, stopping) = (self.http.clone(), self.stopping.clone());
        let service = self.service(external, secured, None);
        let serving = http.http1.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut serving = std::pin::pin!(serving);
        let end = tokio::select! {
            end = serving.as_mut() => end,
            () = stopping.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        log_end(end);
    }

    async fn serve_http2<S>(self, stream: S, external: External, secured: Option<Secured>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (http, stopping) = (self.http.clone(), self.stopping.clone());
        let streams = Streams::default();
        let service = self.service(external, secured, Some(streams.clone()));
        let serving = http.http2.serve_connection(TokioIo::new(stream), service);
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            end = serving.as_mut() => return log_end(end),
            () = stopping.cancelled() => {}
            () = streams.silent(http.silence) => {}
        }
        // Streams under way go on; a client that leaves the goodbye unanswered does not.
        serving.as_mut().graceful_shutdown();
        tokio::select! {
            end = serving.as_mut() => log_end(end),
            () = streams.silent(http.silence) => tracing::debug!("a silent client was disconnected"),
        }
    }

    fn service(
        self,
        external: External,
        secured: Option<Secured>,
        streams: Option<Streams>,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<ResponseBody>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<ResponseBody>, Infallible>> + Send,
    > {
        let Self { proxy, address, tunnels, place, .. } = self;
        let client = Client::new(address, external);
        let connection = ClientConnection { client, secured, streams, tunnels, _place: place };
        let connection = Arc::new(connection);
        service_fn(move |request| {
            let (proxy, connection) = (Arc::clone(&proxy), Arc::clone(&connection));
            async move { Ok(proxy.handle(request, &connection).await) }
        })
    }
}

fn log_end(end: hyper::Result<()>) {
    if let Err(error) = end {
        tracing::debug!(%error, "a client's connection broke");
    }
}
