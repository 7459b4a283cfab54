//! The whole server, as its users meet it: a process, its HTTP API, real repositories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod admin;
mod biscuit_interop;
mod builds;
mod confinement;
mod flow;
mod github_app;
mod hostile;
mod life;
mod logs;
mod metering;
mod pages;
mod postgres_outage;
mod previews;
mod schemathesis;
mod services;
mod set_up;
mod support;
mod swagger_ui;
mod swarm;
mod tls;
mod tokens;
