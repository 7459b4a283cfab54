//! What other machines need to join.

use std::net::SocketAddr;

use bollard::{
    models::{Node, Reachability},
    query_parameters::UpdateSwarmOptions,
};
use windlass_engine::{Admission, EngineError};

use super::{super::apps::ATTEMPTS, Shared};
use crate::daemon::daemon_error;

impl Shared {
    pub(in crate::engine) async fn admission(&self) -> Result<Admission, EngineError> {
        let managers: Vec<SocketAddr> =
            self.list_nodes().await?.iter().filter_map(reachable).collect();
        if managers.is_empty() {
            let text = "the managers of this swarm are known under addresses that other machines \
                        cannot reach; `docker swarm init --advertise-addr` with an address of the \
                        network makes a swarm that they can join";
            return Err(EngineError::Refused(text.to_owned()));
        }
        let docker = self.daemon.docker().await?;
        let swarm = docker.inspect_swarm().await.map_err(daemon_error("looking at the swarm"))?;
        let token = swarm.join_tokens.and_then(|tokens| tokens.worker).unwrap_or_default();
        Ok(Admission { token: token.into(), managers })
    }

    pub(in crate::engine) async fn rotate_admission(&self) -> Result<Admission, EngineError> {
        // First, so that nothing changes where nobody could join in any case.
        self.admission().await?;
        let docker = self.daemon.docker().await?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let swarm =
                docker.inspect_swarm().await.map_err(daemon_error("looking at the swarm"))?;
            let index = swarm.version.and_then(|version| version.index).unwrap_or(0);
            let options = UpdateSwarmOptions {
                version: i64::try_from(index).unwrap_or(i64::MAX),
                rotate_worker_token: true,
                ..UpdateSwarmOptions::default()
            };
            match docker.update_swarm(swarm.spec.unwrap_or_default(), options).await {
                Ok(()) => return self.admission().await,
                // Somebody else has changed it meanwhile.
                Err(_) if attempt < ATTEMPTS => {}
                Err(error) => return Err(daemon_error("changing the swarm")(error)),
            }
        }
    }
}

/// Where a manager listens for others.
fn reachable(node: &Node) -> Option<SocketAddr> {
    let status = node.manager_status.as_ref()?;
    let address: SocketAddr = status.addr.as_deref()?.parse().ok()?;
    let is_for_others = !address.ip().is_unspecified() && !address.ip().is_loopback();
    (status.reachability == Some(Reachability::REACHABLE) && is_for_others).then_some(address)
}

#[cfg(test)]
mod tests {
    use bollard::models::Node;
    use serde_json::json;

    use super::reachable;

    #[test]
    fn only_managers_that_others_can_reach_are_asked() {
        for (addr, reachability, wanted) in [
            ("10.0.0.1:2377", "reachable", true),
            ("[2001:db8::1]:2377", "reachable", true),
            ("10.0.0.1:2377", "unreachable", false),
            ("127.0.0.1:2377", "reachable", false),
            ("0.0.0.0:2377", "reachable", false),
        ] {
            let said = json!({"ManagerStatus": {"Reachability": reachability, "Addr": addr}});
            let node: Node = serde_json::from_value(said).unwrap();
            assert_eq!(reachable(&node).is_some(), wanted, "{addr} {reachability}");
        }
        assert_eq!(reachable(&Node::default()), None);
    }
}
