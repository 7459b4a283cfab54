//! The machines of the swarm: who they are, who joins, and who has to leave.

mod admission;
mod change;
mod observed;

use bollard::{
    models::{Node, NodeSpecAvailabilityEnum},
    query_parameters::ListNodesOptions,
};
use windlass_engine::EngineError;

use super::Shared;
use crate::daemon::daemon_error;

impl Shared {
    pub(super) async fn list_nodes(&self) -> Result<Vec<Node>, EngineError> {
        let docker = self.daemon.docker().await?;
        docker
            .list_nodes(None::<ListNodesOptions>)
            .await
            .map_err(daemon_error("looking at the nodes"))
    }

    /// The node of the daemon that builds, which alone has the images where there is no registry.
    /// Refused where it takes no apps and others would.
    pub(super) async fn only_node_with_images(&self) -> Result<Option<String>, EngineError> {
        let here = self.info().await?.swarm.and_then(|swarm| swarm.node_id);
        let nodes = self.list_nodes().await?;
        let node = nodes.iter().find(|node| node.id == here);
        if let Some(node) = node.filter(|node| 1 < nodes.len() && !takes_apps(node)) {
            return Err(EngineError::Refused(format!(
                "the node {} alone has what was built, and it takes no apps now. Other nodes can \
                 run it once `swarm.registry` of this server's configuration names a registry from \
                 which they can get it",
                hostname(node)
            )));
        }
        Ok(here)
    }
}

fn takes_apps(node: &Node) -> bool {
    let availability = node.spec.as_ref().and_then(|spec| spec.availability);
    availability.is_none_or(|availability| availability == NodeSpecAvailabilityEnum::ACTIVE)
}

fn hostname(node: &Node) -> &str {
    let description = node.description.as_ref();
    let hostname = description.and_then(|description| description.hostname.as_deref());
    hostname.or(node.id.as_deref()).unwrap_or_default()
}
