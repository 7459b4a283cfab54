//! Builds and apps on a Docker Swarm, from one machine to many.
//!
//! Builds are those of Docker's own builder. Each has a *supervisor*, a process of ours that
//! outlives the server ([`supervisor_main`]): it fetches the source, sends it to the daemon, limits,
//! measures and logs, as that of the local engine does. Apps are services of the swarm, one for each
//! deployment, which is told by its labels; the swarm places and restarts, and holds all that has to
//! outlive the server. Whatever lacks our labels is not ours, and is left alone.

mod config;
mod daemon;
mod engine;
mod join;
mod lines;
mod names;
mod order;
mod supervisor;

pub use windlass_engine_kit::supervise::SupervisorProgram;

pub use crate::{
    config::{BaseImages, Registry, SwarmEngineConfig},
    daemon::Endpoint,
    engine::SwarmEngine,
    join::{Joined, join},
    names::{BadNamespace, Namespace},
    supervisor::supervisor_main,
};
