//! The machines of an engine.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use secrecy::SecretString;
use windlass_domain::{Availability, DeploymentId, NodeName, NodeRole, NodeState};

/// A machine, as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedNode {
    /// Names it.
    pub name: NodeName,
    /// What it calls itself; others may do so as well.
    pub hostname: String,
    /// What it is for.
    pub role: NodeRole,
    /// Whether it is given apps.
    pub availability: Availability,
    /// Whether it can be reached.
    pub state: NodeState,
    /// Where its apps are, if that is known.
    pub address: Option<IpAddr>,
    /// What an operator has noted about it.
    pub labels: BTreeMap<String, String>,
    /// CPUs, in thousandths.
    pub cpu_millis: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// The version of what runs apps there, for people.
    pub version: String,
    /// The apps that run there: one entry for each replica.
    pub apps: Vec<DeploymentId>,
}

/// What a machine needs to join the others. Whoever has it can run their own machine among them,
/// and gets the apps' variables.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Lets it in, as a worker.
    pub token: SecretString,
    /// Where to ask; one is enough.
    pub managers: Vec<SocketAddr>,
}
