//! The API from the outside: the whole router in process, on a database of its own.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod api_keys;
mod audit;
mod client_address;
mod contract;
mod deployments;
mod env_vars;
mod environments;
mod errors;
mod faults;
mod flaky;
mod github;
mod harness;
mod hostile;
mod invitations;
mod key_limits;
mod limits;
mod links;
mod logs;
mod matrix;
mod members;
mod norrix;
mod once;
mod openapi;
mod pages;
mod peers;
mod people;
mod projects;
mod quotas;
mod secrecy;
mod server;
mod sessions;
mod set_up;
mod support;
mod tokens;
mod usage;
mod webhooks;
