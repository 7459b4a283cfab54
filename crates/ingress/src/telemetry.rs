//! What is counted. Labels have few values: never a host, never a path.

use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::streams::OpenStream;

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The proxy's metrics, looked up once.
pub(crate) struct Telemetry {
    requests: [Counter; 5],
    duration: Histogram,
    in_flight: Gauge,
    connections: Gauge,
    refused_connections: Counter,
    failed_handshakes: [Counter; 3],
    upstream_errors: [Counter; 3],
}

/// What went wrong between the proxy and an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UpstreamError {
    Connect = 0,
    Response = 1,
    Timeout = 2,
}

impl UpstreamError {
    const NAMES: [&str; 3] = ["connect", "response", "timeout"];
}

/// Why there is no TLS between a client and the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandshakeFailure {
    UnknownName = 0,
    Broken = 1,
    Timeout = 2,
}

impl HandshakeFailure {
    const NAMES: [&str; 3] = ["unknown_name", "broken", "timeout"];
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        Self {
            requests: CLASSES
                .map(|class| counter!("windlass_ingress_requests_total", "status" => class)),
            duration: histogram!("windlass_ingress_response_seconds"),
            in_flight: gauge!("windlass_ingress_requests_in_flight"),
            connections: gauge!("windlass_ingress_connections"),
            refused_connections: counter!("windlass_ingress_refused_connections_total"),
            failed_handshakes: HandshakeFailure::NAMES
                .map(|kind| counter!("windlass_ingress_failed_handshakes_total", "kind" => kind)),
            upstream_errors: UpstreamError::NAMES
                .map(|kind| counter!("windlass_ingress_upstream_errors_total", "kind" => kind)),
        }
    }

    /// A request came in, over HTTP/2 on this stream.
    pub(crate) fn enter(&self, stream: Option<OpenStream>) -> RequestInFlight {
        self.in_flight.increment(1);
        RequestInFlight { gauge: self.in_flight.clone(), _stream: stream }
    }

    /// The head of a response is there.
    pub(crate) fn answered(&self, status: StatusCode, after: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.requests.get(class) {
            counter.increment(1);
        }
        self.duration.record(after);
    }

    pub(crate) fn upstream_failed(&self, error: UpstreamError) {
        if let Some(counter) = self.upstream_errors.get(error as usize) {
            counter.increment(1);
        }
    }

    /// A client connected.
    pub(crate) fn connect(&self) -> ConnectionOpen {
        self.connections.increment(1);
        ConnectionOpen(self.connections.clone())
    }

    pub(crate) fn handshake_failed(&self, failure: HandshakeFailure) {
        if let Some(counter) = self.failed_handshakes.get(failure as usize) {
            counter.increment(1);
        }
    }

    pub(crate) fn connection_refused(&self) {
        self.refused_connections.increment(1);
    }
}

/// Counts a request until it is dropped.
pub(crate) struct RequestInFlight {
    gauge: Gauge,
    _stream: Option<OpenStream>,
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.gauge.decrement(1);
    }
}

/// Counts a connection until it is dropped.
pub(crate) struct ConnectionOpen(Gauge);

impl Drop for ConnectionOpen {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
