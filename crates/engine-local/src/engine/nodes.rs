//! The one machine that this engine has.

use std::{collections::BTreeMap, net::Ipv4Addr, thread::available_parallelism};

use windlass_domain::{Availability, NodeRole, NodeState};
use windlass_engine::{AppState, EngineError, ObservedApp, ObservedNode};
use windlass_engine_kit::faults::internal;

/// What it is called: there is no other.
const NAME: &str = "local";

/// This machine, with the apps that run on it.
pub(super) fn this_machine(apps: &[ObservedApp]) -> Result<ObservedNode, EngineError> {
    let name = NAME.parse().map_err(internal("naming this machine"))?;
    let system = rustix::system::sysinfo();
    // How wide these are depends on the machine.
    let (units, bytes) = (u128::from(system.totalram), u128::from(system.mem_unit));
    let cpus = available_parallelism().map_or(1, |count| count.get() as u64);
    let running = apps.iter().filter(|app| matches!(app.state, AppState::Running(_)));
    Ok(ObservedNode {
        name,
        hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        role: NodeRole::Manager,
        availability: Availability::Active,
        state: NodeState::Ready,
        address: Some(Ipv4Addr::LOCALHOST.into()),
        labels: BTreeMap::new(),
        cpu_millis: cpus * 1_000,
        memory_bytes: u64::try_from(units * bytes).unwrap_or(u64::MAX),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        apps: running.map(|app| app.deployment).collect(),
    })
}

/// What is said to whoever wants more of it.
pub(super) fn alone<T>() -> Result<T, EngineError> {
    let text = "this engine runs on this machine alone; other machines take part where \
                `engine.kind` of the server's configuration is `swarm`";
    Err(EngineError::Refused(text.to_owned()))
}
