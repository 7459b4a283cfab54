//! Sessions.

mod forging;
mod support;
mod verifying;
