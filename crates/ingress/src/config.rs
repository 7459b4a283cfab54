//! How the proxy is set up.

use std::time::Duration;

/// How the proxy is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressConfig {
    /// Apps answer at `<label>.<base_domain>`.
    pub base_domain: String,
    /// How clients reach the proxy, as the apps are told.
    pub external: External,
    /// Answers every request without TLS with a redirect to where it is served with it.
    pub https: Option<HttpsRedirect>,
    /// What a client and an app may take.
    pub limits: Limits,
}

/// Where requests without TLS are sent, the same host and path with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpsRedirect {
    /// The port at which clients reach [`Ingress::serve_tls`](crate::Ingress::serve_tls).
    pub port: u16,
}

/// Where clients see the proxy: not where it listens, if something stands in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct External {
    /// The scheme.
    pub scheme: Scheme,
    /// The port.
    pub port: u16,
}

/// The scheme that clients use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS, whether the proxy ends it or something in front.
    Https,
}

impl Scheme {
    /// The scheme's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What a client and an app may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections of clients at once, of all listeners; those beyond get a 503, or with TLS
    /// nothing.
    pub connections: usize,
    /// Bytes of a request's line and headers together; beyond it is a 431.
    pub header_bytes: usize,
    /// Bytes of a request's target; beyond it is a 414.
    pub uri_bytes: usize,
    /// How long a client may take to agree on TLS.
    pub handshake: Duration,
    /// Requests at once over one connection of HTTP/2.
    pub streams: u32,
    /// How long a client may take to send the headers, and may stay silent between requests.
    /// One of HTTP/2 is asked as often whether it is still there, and has as long to answer.
    pub header_read: Duration,
    /// How long an app may take to accept a connection.
    pub connect: Duration,
    /// How long an app may take to begin its response, counted from the last byte of the request
    /// that it took; beyond it is a 504.
    pub response: Duration,
    /// How long a tunnel may be silent.
    pub tunnel_idle: Duration,
    /// Connections kept open to each address of an app.
    pub idle_connections: usize,
    /// How long one of them is kept. Shorter than the apps' own limits (2 s in gunicorn, 5 s in
    /// Node), so that none is closed at the moment it is used.
    pub idle_connection: Duration,
    /// How long a request waits for an app that wakes up; beyond it is a 503.
    pub wake: Duration,
    /// The same where somebody looks at a page, which then says so and tries again.
    pub wake_page: Duration,
    /// How many requests wait for apps that wake up; what comes beyond gets a 503 at once.
    pub held: usize,
    /// How long requests and tunnels may go on after the proxy was told to stop.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_bytes: 32 * 1024,
            uri_bytes: 16 * 1024,
            handshake: Duration::from_secs(10),
            streams: 250,
            header_read: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            response: Duration::from_mins(1),
            tunnel_idle: Duration::from_mins(10),
            idle_connections: 256,
            idle_connection: Duration::from_millis(1_500),
            wake: Duration::from_mins(1),
            wake_page: Duration::from_secs(3),
            held: 1_000,
            shutdown: Duration::from_secs(10),
        }
    }
}
