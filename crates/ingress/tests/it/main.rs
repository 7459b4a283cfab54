//! The proxy between real sockets: the tests play the client and the app, byte by byte.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

mod headers;
mod http2;
mod https;
mod limits;
mod pages;
mod raw_http2;
mod routing;
mod secure;
mod streaming;
mod strictness;
mod support;
mod switching;
mod telemetry;
mod tls;
mod upgrade;
mod waking;
