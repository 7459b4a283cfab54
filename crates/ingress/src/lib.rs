//! A reverse proxy that finds the app by the first label of the host name.
//!
//! It decides nothing: it is told through a [`RouteTable`] which label leads where and which other
//! hosts stand for a label, and it answers with a page where no app does. Requests to an app that
//! sleeps wait while it is woken up. Requests and responses stream through it in both directions;
//! WebSocket and other upgrades become tunnels.
//!
//! Clients reach it over HTTP/1.1, and over TLS in HTTP/2 as well; apps are asked in HTTP/1.1. It
//! is told through [`Certificates`] which host is served with which certificate, and through
//! [`Challenges`] what authorities are to find that issue them. [`IngressConfig::https`] sends
//! whoever comes without TLS to where there is TLS.
//!
//! To replace an app without failing a request, [`RouteTable::set`] the new addresses, then
//! [`Ingress::drain`] the old ones, then end the old app.

mod aliases;
mod answer;
mod body;
mod certificate;
mod certificates;
mod challenges;
mod config;
mod connection;
mod failure;
mod headers;
mod host;
mod own;
mod page;
mod pool;
mod progress;
mod proxy;
mod request_id;
mod routes;
mod server;
mod streams;
mod telemetry;
mod tls;
mod tunnel;
mod upstream;
mod waking;

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::broadcast};

pub use crate::{
    certificate::{Certificate, InvalidCertificate},
    certificates::Certificates,
    challenges::Challenges,
    config::{External, HttpsRedirect, IngressConfig, Limits, Scheme},
    routes::{Outage, RouteTable, Target},
    upstream::Drained,
};
use crate::{proxy::Proxy, server::Server};

/// The proxy; clones share everything.
#[derive(Clone)]
pub struct Ingress {
    proxy: Arc<Proxy>,
}

impl Ingress {
    /// A proxy without routes. The recorder of `metrics`, if there is to be one, must be installed
    /// before.
    #[must_use]
    pub fn new(config: IngressConfig) -> Self {
        Self { proxy: Arc::new(Proxy::new(config)) }
    }

    /// What leads where. Changes count from the next request on.
    #[must_use]
    pub fn routes(&self) -> &RouteTable {
        self.proxy.routes()
    }

    /// Waits until no request is on its way to `address` and no tunnel to it is open. When the
    /// time is up, the tunnels are closed; requests are left to end with the app.
    pub async fn drain(&self, address: SocketAddr, limit: Duration) -> Drained {
        self.routes().drain(address, limit).await
    }

    /// The labels of apps that sleep and that somebody has sent a request, which waits; from now
    /// on. One is named again and again until its route changes.
    #[must_use]
    pub fn wake_calls(&self) -> broadcast::Receiver<String> {
        self.proxy.waking().calls()
    }

    /// The labels of apps that somebody has wanted since this was asked last, or wants now: requests
    /// are on their way to them, or wait for them to wake up.
    #[must_use]
    pub fn take_visits(&self) -> HashSet<String> {
        let visits = self.routes().take_visits();
        visits.into_iter().chain(self.proxy.waking().wanted()).collect()
    }

    /// What certificate authorities find that want to see whose host it is. All listeners answer
    /// it, though it is asked for without TLS.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.proxy.challenges()
    }

    /// Serves HTTP/1.1 until `shutdown` resolves, then stops accepting and lets what is on its way
    /// end within [`Limits::shutdown`].
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        Server::new(Arc::clone(&self.proxy), None).run(listener, shutdown).await;
    }

    /// Serves HTTP/1.1 and HTTP/2 over TLS, as [`Self::serve`] does without. A client that names a
    /// host that has no certificate is refused.
    pub async fn serve_tls(
        &self,
        listener: TcpListener,
        certificates: Certificates,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        Server::new(Arc::clone(&self.proxy), Some(certificates)).run(listener, shutdown).await;
    }
}
