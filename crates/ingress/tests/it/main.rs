//! The proxy between real sockets: the tests play the client and the app, byte by byte.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

mod headers;
mod limits;
mod pages;
mod routing;
mod streaming;
mod strictness;
mod support;
mod switching;
mod telemetry;
mod upgrade;
mod waking;
