//! Accepts connections of clients, and ends gracefully.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    certificates::Certificates,
    connection::{Http, Tunnels, Visit},
    proxy::Proxy,
    tls::Tls,
};

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
    http: Http,
    tls: Option<Tls>,
    stopping: CancellationToken,
    tunnels: Tunnels,
    connections: JoinSet<()>,
}

impl Server {
    /// Serves with TLS if there are certificates.
    pub(crate) fn new(proxy: Arc<Proxy>, certificates: Option<Certificates>) -> Self {
        let limits = proxy.limits();
        Self {
            http: Http::new(limits),
            tls: certificates.map(|certificates| Tls::new(certificates, limits.handshake)),
            proxy,
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
        let Ok(place) = Arc::clone(self.proxy.places()).try_acquire_owned() else {
            self.proxy.telemetry().connection_refused();
            // Without a handshake, which is what there is no place for, nothing can be said.
            if self.tls.is_none() {
                self.connections.spawn(turn_away(stream));
            }
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a client was gone at once");
            return;
        }
        let visit = Visit {
            proxy: Arc::clone(&self.proxy),
            http: self.http.clone(),
            address: address.ip(),
            tunnels: self.tunnels.clone(),
            stopping: self.stopping.clone(),
            place: (place, self.proxy.telemetry().connect()),
        };
        match &self.tls {
            None => self.connections.spawn(visit.serve(stream)),
            Some(tls) => self.connections.spawn(visit.serve_tls(stream, tls.clone())),
        };
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
