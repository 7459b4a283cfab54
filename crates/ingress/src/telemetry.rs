//! What is counted. Labels have few values: never a host, never a path.

use std::time::Duration;

use http::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The proxy's metrics, looked up once.
pub(crate) struct Telemetry {
    requests: [Counter; 5],
    duration: Histogram,
    in_flight: Gauge,
    connections: Gauge,
    refused_connections: Counter,
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

impl Telemetry {
    pub(crate) fn new() -> Self {
        Self {
            requests: CLASSES
                .map(|class| counter!("windlass_ingress_requests_total", "status" => class)),
            duration: histogram!("windlass_ingress_response_seconds"),
            in_flight: gauge!("windlass_ingress_requests_in_flight"),
            connections: gauge!("windlass_ingress_connections"),
            refused_connections: counter!("windlass_ingress_refused_connections_total"),
            upstream_errors: UpstreamError::NAMES
                .map(|kind| counter!("windlass_ingress_upstream_errors_total", "kind" => kind)),
        }
    }

    /// A request came in.
    pub(crate) fn enter(&self) -> RequestInFlight {
        self.in_flight.increment(1);
        RequestInFlight(self.in_flight.clone())
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

    pub(crate) fn connection_refused(&self) {
        self.refused_connections.increment(1);
    }
}

/// Counts a request until it is dropped.
pub(crate) struct RequestInFlight(Gauge);

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Counts a connection until it is dropped.
pub(crate) struct ConnectionOpen(Gauge);

impl Drop for ConnectionOpen {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
