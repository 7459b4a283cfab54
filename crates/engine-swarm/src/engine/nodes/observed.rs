//! Nodes as the swarm sees them.

use std::collections::HashMap;

use bollard::models::{self, Node, NodeSpecAvailabilityEnum};
use windlass_domain::{Availability, DeploymentId, NodeName, NodeRole, NodeState};
use windlass_engine::{EngineError, ObservedNode};

use super::{super::look::runs, Shared, hostname};
use crate::engine::look::address_of;

const NANO_CPUS_A_MILLI: i64 = 1_000_000;

impl Shared {
    pub(in crate::engine) async fn observe_nodes(&self) -> Result<Vec<ObservedNode>, EngineError> {
        let (seen, nodes) = tokio::try_join!(self.look(), self.list_nodes())?;
        let mut apps: HashMap<&str, Vec<DeploymentId>> = HashMap::new();
        for (deployment, app) in &seen.apps {
            let running = app.tasks.iter().filter(|task| runs(task) && !seen.nodes.has_lost(task));
            for node in running.filter_map(|task| task.node_id.as_deref()) {
                apps.entry(node).or_default().push(*deployment);
            }
        }
        let is_here = self.config.endpoint.is_here();
        let observe = |node: &Node| {
            let id = node.id.as_deref()?;
            let mut apps = apps.get(id).cloned().unwrap_or_default();
            apps.sort_unstable();
            Some(observed(id.parse().ok()?, node, is_here, apps))
        };
        Ok(nodes.iter().filter_map(observe).collect())
    }
}

fn observed(name: NodeName, node: &Node, is_here: bool, apps: Vec<DeploymentId>) -> ObservedNode {
    let description = node.description.as_ref();
    let resources = description.and_then(|description| description.resources.as_ref());
    let engine = description.and_then(|description| description.engine.as_ref());
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let cpus = resources.and_then(|it| it.nano_cpus).map(|nanos| nanos / NANO_CPUS_A_MILLI);
    let labels = node.spec.as_ref().and_then(|spec| spec.labels.clone());
    ObservedNode {
        name,
        hostname: hostname(node).to_owned(),
        role: if node.manager_status.is_some() { NodeRole::Manager } else { NodeRole::Worker },
        availability: availability(node),
        state: state(node),
        address: address_of(node, is_here),
        labels: labels.unwrap_or_default().into_iter().collect(),
        cpu_millis: count(cpus).unwrap_or(0),
        memory_bytes: count(resources.and_then(|it| it.memory_bytes)).unwrap_or(0),
        version: engine.and_then(|engine| engine.engine_version.clone()).unwrap_or_default(),
        apps,
    }
}

fn availability(node: &Node) -> Availability {
    match node.spec.as_ref().and_then(|spec| spec.availability) {
        Some(NodeSpecAvailabilityEnum::PAUSE) => Availability::Paused,
        Some(NodeSpecAvailabilityEnum::DRAIN) => Availability::Drained,
        Some(NodeSpecAvailabilityEnum::ACTIVE | NodeSpecAvailabilityEnum::EMPTY) | None => {
            Availability::Active
        }
    }
}

fn state(node: &Node) -> NodeState {
    match node.status.as_ref().and_then(|status| status.state) {
        Some(models::NodeState::READY) => NodeState::Ready,
        Some(models::NodeState::DOWN) => NodeState::Down,
        Some(models::NodeState::DISCONNECTED) => NodeState::Disconnected,
        Some(models::NodeState::UNKNOWN) | None => NodeState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use bollard::models::Node;
    use serde_json::json;
    use windlass_domain::{Availability, NodeRole, NodeState};

    use super::observed;

    fn read(said: serde_json::Value) -> Node {
        serde_json::from_value(said).unwrap()
    }

    #[test]
    fn a_node_is_what_docker_says_of_it() {
        let node = read(json!({
            "ID": "kz348e6lbatmo9ffgyijfeimh",
            "Spec": {"Labels": {"zone": "b"}, "Role": "worker", "Availability": "drain"},
            "Description": {
                "Hostname": "node2",
                "Resources": {"NanoCPUs": 2_500_000_000_i64, "MemoryBytes": 1_073_741_824},
                "Engine": {"EngineVersion": "20.10.24"},
            },
            "Status": {"State": "down", "Addr": "10.0.0.2"},
        }));
        let seen = observed("x".parse().unwrap(), &node, true, Vec::new());
        assert_eq!((seen.role, seen.state), (NodeRole::Worker, NodeState::Down));
        assert_eq!(seen.availability, Availability::Drained);
        assert_eq!((seen.cpu_millis, seen.memory_bytes), (2_500, 1 << 30));
        assert_eq!(seen.address, Some("10.0.0.2".parse::<IpAddr>().unwrap()));
        assert_eq!((&*seen.hostname, &*seen.version), ("node2", "20.10.24"));
        assert_eq!(seen.labels.get("zone").map(String::as_str), Some("b"));
    }

    #[test]
    fn what_docker_does_not_say_is_not_made_up() {
        let node = read(json!({"ID": "x", "Status": {"State": "unknown"}}));
        let seen = observed("x".parse().unwrap(), &node, true, Vec::new());
        assert_eq!((seen.state, seen.address), (NodeState::Unknown, None));
        assert_eq!((&*seen.hostname, seen.cpu_millis), ("x", 0));
    }
}
