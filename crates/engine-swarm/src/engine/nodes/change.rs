//! What operators do with nodes.

use std::time::Duration;

use bollard::{
    errors::Error,
    models::{Node, NodeSpec, NodeSpecAvailabilityEnum, NodeSpecRoleEnum},
    query_parameters::{DeleteNodeOptions, UpdateNodeOptions},
};
use tokio::time::Instant;
use windlass_domain::{Availability, NodeName, NodeRole, NodeState};
use windlass_engine::{EngineError, ObservedNode};

use super::{super::apps::ATTEMPTS, Shared};
use crate::daemon::{daemon_error, found};

/// How long a manager may take to become a worker.
const DEMOTION: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(200);

impl Shared {
    pub(in crate::engine) async fn set_availability(
        &self,
        name: &NodeName,
        availability: Availability,
    ) -> Result<(), EngineError> {
        let nodes = self.observe_nodes().await?;
        let Some(node) = nodes.iter().find(|node| node.name == *name) else {
            return Err(EngineError::Refused(format!("there is no node {name}")));
        };
        if availability == Availability::Drained {
            self.may_be_drained(node, &nodes)?;
        }
        let wanted = match availability {
            Availability::Active => NodeSpecAvailabilityEnum::ACTIVE,
            Availability::Paused => NodeSpecAvailabilityEnum::PAUSE,
            Availability::Drained => NodeSpecAvailabilityEnum::DRAIN,
        };
        self.update_node(name, |spec| NodeSpec { availability: Some(wanted), ..spec }).await
    }

    /// Refuses to drain a node whose apps would not run anywhere then.
    fn may_be_drained(
        &self,
        node: &ObservedNode,
        nodes: &[ObservedNode],
    ) -> Result<(), EngineError> {
        if node.apps.is_empty() {
            return Ok(());
        }
        let ObservedNode { hostname, apps, .. } = node;
        let count = apps.len();
        let is_free = |other: &ObservedNode| {
            other.name != node.name
                && other.state == NodeState::Ready
                && other.availability == Availability::Active
        };
        if !nodes.iter().any(is_free) {
            return Err(EngineError::Refused(format!(
                "no other node is ready to take the {count} apps of {hostname}"
            )));
        }
        if self.config.registry.is_none() {
            return Err(EngineError::Refused(format!(
                "the {count} apps of {hostname} cannot run elsewhere, since their images are on \
                 that node alone; `swarm.registry` of the server's configuration names a registry \
                 for all nodes, and apps that are built again can move then"
            )));
        }
        Ok(())
    }

    pub(in crate::engine) async fn remove_node(&self, name: &NodeName) -> Result<(), EngineError> {
        let nodes = self.observe_nodes().await?;
        let Some(node) = nodes.iter().find(|node| node.name == *name) else { return Ok(()) };
        let here = self.info().await?.swarm.and_then(|swarm| swarm.node_id);
        may_be_removed(node, &nodes, here.as_deref()).map_err(EngineError::Refused)?;
        if node.role == NodeRole::Manager {
            self.demote(name).await?;
        }
        let docker = self.daemon.docker().await?;
        // One that is drained may still be there. It runs nothing, and can leave by itself.
        let options = DeleteNodeOptions { force: true };
        let removed = docker.delete_node(name.as_str(), Some(options)).await;
        found(removed).map_err(changing).map(drop)
    }

    /// Makes a worker of a manager, and waits until it is one.
    async fn demote(&self, name: &NodeName) -> Result<(), EngineError> {
        let role = Some(NodeSpecRoleEnum::WORKER);
        self.update_node(name, |spec| NodeSpec { role, ..spec }).await?;
        let deadline = Instant::now() + DEMOTION;
        while Instant::now() < deadline {
            let node = self.node(name).await?;
            if node.is_none_or(|node| node.manager_status.is_none()) {
                return Ok(());
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        let text = "the node is a manager, and the others have not let it go yet; try again";
        Err(EngineError::Unavailable(text.to_owned()))
    }

    /// By its whole name: Docker would take the beginning of it, or a host's name, as well.
    async fn node(&self, name: &NodeName) -> Result<Option<Node>, EngineError> {
        let mut nodes = self.list_nodes().await?.into_iter();
        Ok(nodes.find(|node| node.id.as_deref() == Some(name.as_str())))
    }

    /// Changes a node, from the version that was read.
    async fn update_node(
        &self,
        name: &NodeName,
        change: impl Fn(NodeSpec) -> NodeSpec,
    ) -> Result<(), EngineError> {
        let docker = self.daemon.docker().await?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Some(node) = self.node(name).await? else {
                return Err(EngineError::Refused(format!("there is no node {name}")));
            };
            let index = node.version.and_then(|version| version.index).unwrap_or(0);
            let version = i64::try_from(index).unwrap_or(i64::MAX);
            let spec = change(node.spec.unwrap_or_default());
            match docker.update_node(name.as_str(), spec, UpdateNodeOptions { version }).await {
                Ok(()) => return Ok(()),
                // Somebody else has changed it meanwhile.
                Err(_) if attempt < ATTEMPTS => {}
                Err(error) => return Err(changing(error)),
            }
        }
    }
}

/// What Docker has against a change is for whoever asked for it.
fn changing(error: Error) -> EngineError {
    if let Error::DockerResponseServerError { status_code: 400..500, message } = error {
        EngineError::Refused(message)
    } else {
        daemon_error("changing a node")(error)
    }
}

/// Why a node has to stay, if it has to.
fn may_be_removed(
    node: &ObservedNode,
    nodes: &[ObservedNode],
    here: Option<&str>,
) -> Result<(), String> {
    let ObservedNode { hostname, apps, .. } = node;
    if here == Some(node.name.as_str()) {
        return Err(format!(
            "this server reaches the swarm by way of {hostname}, so that it cannot be removed"
        ));
    }
    let managers = nodes.iter().filter(|node| node.role == NodeRole::Manager).count();
    if node.role == NodeRole::Manager && managers < 2 {
        return Err(format!("{hostname} is the last manager, so that it cannot be removed"));
    }
    if node.state == NodeState::Down {
        return Ok(());
    }
    if node.availability != Availability::Drained {
        return Err(format!("{hostname} is given apps; drain it first, so that they go elsewhere"));
    }
    if !apps.is_empty() {
        let count = apps.len();
        return Err(format!(
            "{count} apps still run on {hostname}; try again when they have moved"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use windlass_domain::{
        Availability, DeploymentId, NodeRole, NodeState,
        test_util::{CountingEntropy, ManualClock},
    };
    use windlass_engine::ObservedNode;

    use super::may_be_removed;

    fn node(name: &str, role: NodeRole) -> ObservedNode {
        ObservedNode {
            name: name.parse().unwrap(),
            hostname: name.to_owned(),
            role,
            availability: Availability::Active,
            state: NodeState::Ready,
            address: None,
            labels: std::collections::BTreeMap::new(),
            cpu_millis: 1,
            memory_bytes: 1,
            version: String::new(),
            apps: Vec::new(),
        }
    }

    #[test]
    fn only_nodes_that_nobody_needs_are_removed() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let manager = node("m", NodeRole::Manager);
        let active = node("w", NodeRole::Worker);
        let down = ObservedNode { state: NodeState::Down, ..active.clone() };
        let drained = ObservedNode { availability: Availability::Drained, ..active.clone() };
        let busy = ObservedNode {
            apps: vec![DeploymentId::generate(entropy.with(&clock))],
            ..drained.clone()
        };
        let one = [manager.clone(), active.clone()];
        for (node, here, wanted) in [
            (&manager, Some("m"), Some("by way of m")),
            (&manager, Some("w"), Some("last manager")),
            (&active, Some("m"), Some("drain it first")),
            (&busy, Some("m"), Some("1 apps still run")),
            (&drained, Some("m"), None),
            (&down, Some("m"), None),
        ] {
            let said = may_be_removed(node, &one, here).err();
            let is_as_wanted = match (&said, wanted) {
                (Some(said), Some(wanted)) => said.contains(wanted),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            assert!(is_as_wanted, "{said:?} {wanted:?}");
        }
    }
}
