//! The Swarm engine with real repositories and a real Docker.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod apps;
mod authority;
mod builds;
mod cluster;
mod contract;
mod daemon;
mod limits;
mod nodes;
mod registry;
mod site;
mod survival;
mod tasks;
mod tls;
