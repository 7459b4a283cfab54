//! Builds, tasks and apps as confined child processes of this host: the engine that needs no Docker.
//!
//! Every build, every task and every app has a *supervisor*, a process of its own that outlives the server
//! ([`supervisor_main`]). It fetches, runs, limits, measures and logs, and keeps what it knows in
//! files, so [`LocalEngine`] holds nothing that a killed server could lose: it gives orders and
//! reads files. Whoever holds the lock of a build's or an app's folder answers for it.

mod config;
mod confinement;
mod engine;
mod launch;
mod layout;
mod order;
mod owners;
mod prepare;
mod record;
mod serve;
mod supervisor;

pub use windlass_engine_kit::supervise::SupervisorProgram;

pub use crate::{
    config::{LocalEngineConfig, Users},
    engine::LocalEngine,
    supervisor::supervisor_main,
};
