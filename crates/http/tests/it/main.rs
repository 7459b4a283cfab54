//! The API from the outside: the whole router in process, on a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod api_keys;
mod contract;
mod deployments;
mod env_vars;
mod environments;
mod errors;
mod faults;
mod flaky;
mod harness;
mod hostile;
mod links;
mod logs;
mod openapi;
mod permissions;
mod projects;
mod server;
mod tokens;
mod usage;
