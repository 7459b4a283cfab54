//! Signing in with GitHub.

pub(super) mod begin;
pub(super) mod callback;

/// Where GitHub sends browsers back to, on this server.
const CALLBACK: &str = "/api/auth/github/callback";
