//! Agrees on TLS with clients.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring::{Ticketer, default_provider},
    server::Acceptor,
    version::{TLS12, TLS13},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use crate::{
    certificate::Certificate, certificates::Certificates, host::normal, telemetry::HandshakeFailure,
};

const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// The fatal alert `unrecognized_name` (RFC 6066, 3) as a record of its own. rustls has no way to
/// send it: where there is no certificate, it would say `access_denied`.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Agrees on TLS 1.2 or 1.3, with the certificate of the host that a client names.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    certificates: Certificates,
    limit: Duration,
}

/// What a client has agreed to.
pub(crate) struct Handshake {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) secured: Secured,
    pub(crate) version: HttpVersion,
}

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpVersion {
    Http1,
    Http2,
}

/// What a client knows about the other end of its connection.
#[derive(Debug)]
pub(crate) struct Secured {
    server_name: Option<String>,
    certificate: Certificate,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("the client wants a host that has no certificate: {0:?}")]
    UnknownName(Option<String>),
    #[error("the handshake broke off: {0}")]
    Broken(#[from] io::Error),
    #[error("the handshake took too long")]
    TimedOut,
}

impl HandshakeError {
    pub(crate) fn kind(&self) -> HandshakeFailure {
        match self {
            Self::UnknownName(_) => HandshakeFailure::UnknownName,
            Self::Broken(_) => HandshakeFailure::Broken,
            Self::TimedOut => HandshakeFailure::Timeout,
        }
    }
}

impl Secured {
    /// Whether the connection is meant for this host: the client has named it, or can tell from the
    /// certificate.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        self.server_name.as_deref() == Some(host) || self.certificate.covers(host)
    }
}

impl Tls {
    pub(crate) fn new(certificates: Certificates, limit: Duration) -> Self {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("ring has cipher suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates.clone()));
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        match Ticketer::new() {
            Ok(ticketer) => config.ticketer = ticketer,
            Err(error) => tracing::warn!(%error, "clients cannot resume TLS sessions"),
        }
        Self { config: Arc::new(config), certificates, limit }
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Handshake, HandshakeError> {
        let handshake = timeout(self.limit, self.shake_hands(stream)).await;
        handshake.map_err(|_| HandshakeError::TimedOut)?
    }

    async fn shake_hands(&self, stream: TcpStream) -> Result<Handshake, HandshakeError> {
        let mut start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        let server_name = hello.server_name().map(|name| normal(name).into_owned());
        // Looked up here already, to be known afterwards.
        let Some(certificate) = self.certificates.find(server_name.as_deref()) else {
            start.io.write_all(&UNRECOGNIZED_NAME).await?;
            start.io.shutdown().await?;
            return Err(HandshakeError::UnknownName(server_name));
        };
        let stream = start.into_stream(Arc::clone(&self.config)).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP_2);
        let version = if is_http2 { HttpVersion::Http2 } else { HttpVersion::Http1 };
        Ok(Handshake { stream, secured: Secured { server_name, certificate }, version })
    }
}
