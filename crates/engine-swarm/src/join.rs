//! The side of a machine that joins a swarm.

use std::{net::IpAddr, time::Duration};

use bollard::{
    Docker,
    errors::Error,
    models::{LocalNodeState, SwarmInfo, SwarmJoinRequest},
    query_parameters::LeaveSwarmOptions,
};
use secrecy::ExposeSecret as _;
use windlass_domain::NodeName;
use windlass_engine::{Admission, EngineError};
use windlass_engine_kit::faults::internal;

use crate::{
    daemon::{Endpoint, daemon_error, is_recent},
    engine::OLDEST,
};

/// How long Docker may take; it gives up by itself before.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a machine listens for the others.
const LISTEN: &str = "0.0.0.0:2377";

/// A machine that is one of the swarm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// What the swarm calls it.
    pub node: NodeName,
    /// Whether it was one before, so that nothing was done.
    pub was_in: bool,
}

/// Makes the machine of a Docker daemon a worker of the swarm that the admission is for; nothing
/// happens where it is in that one. `address` is where the others find it, for machines that have
/// several.
///
/// Refused where the daemon is in another swarm, and where the swarm does not take the token.
pub async fn join(
    endpoint: &Endpoint,
    admission: &Admission,
    address: Option<IpAddr>,
) -> Result<Joined, EngineError> {
    let docker = endpoint.connect(PATIENCE).await.map_err(daemon_error("reaching the daemon"))?;
    docker.ping().await.map_err(daemon_error("asking whether it is there"))?;
    is_recent(&docker, OLDEST)?;
    let before = swarm(&docker).await?;
    let was_in = is_in(&before, admission)?;
    if !was_in {
        ask(&docker, admission, address).await?;
    }
    let after = if was_in { before } else { swarm(&docker).await? };
    let node = after.node_id.unwrap_or_default().parse().map_err(internal("reading our id"))?;
    Ok(Joined { node, was_in })
}

async fn swarm(docker: &Docker) -> Result<SwarmInfo, EngineError> {
    let info = docker.info().await.map_err(daemon_error("asking about itself"))?;
    Ok(info.swarm.unwrap_or_default())
}

/// Whether the daemon is in this swarm. One that is in another is refused.
fn is_in(swarm: &SwarmInfo, admission: &Admission) -> Result<bool, EngineError> {
    match swarm.local_node_state {
        None | Some(LocalNodeState::EMPTY | LocalNodeState::INACTIVE) => return Ok(false),
        Some(
            LocalNodeState::PENDING
            | LocalNodeState::ACTIVE
            | LocalNodeState::ERROR
            | LocalNodeState::LOCKED,
        ) => {}
    }
    // A worker knows nothing of its swarm but the managers.
    let managers = swarm.remote_managers.iter().flatten();
    let mut managers = managers.filter_map(|peer| peer.addr.as_deref()?.parse().ok());
    let is_this_one = managers.any(|manager| admission.managers.contains(&manager));
    if is_this_one && swarm.local_node_state == Some(LocalNodeState::ACTIVE) {
        return Ok(true);
    }
    let error = swarm.error.as_deref().filter(|error| !error.is_empty());
    let what = if is_this_one { "this swarm, but does not get through to it" } else { "a swarm" };
    let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
    Err(EngineError::Refused(format!(
        "the Docker of this machine is already in {what}{why}; `docker swarm leave` takes it out, \
         with everything that runs there for that swarm"
    )))
}

async fn ask(
    docker: &Docker,
    admission: &Admission,
    address: Option<IpAddr>,
) -> Result<(), EngineError> {
    let managers: Vec<String> = admission.managers.iter().map(ToString::to_string).collect();
    let request = SwarmJoinRequest {
        listen_addr: Some(LISTEN.to_owned()),
        advertise_addr: address.map(|address| address.to_string()),
        data_path_addr: None,
        remote_addrs: Some(managers.clone()),
        join_token: Some(admission.token.expose_secret().to_owned()),
    };
    let Err(error) = docker.join_swarm(request).await else { return Ok(()) };
    let Error::DockerResponseServerError { message, .. } = &error else {
        return Err(daemon_error("joining a swarm")(error));
    };
    // Docker would go on in the background, and refuse the next attempt for that.
    if swarm(docker).await?.local_node_state == Some(LocalNodeState::PENDING) {
        let left = docker.leave_swarm(None::<LeaveSwarmOptions>).await;
        left.map_err(daemon_error("giving up to join a swarm"))?;
    }
    let managers = managers.join(", ");
    Err(if message.contains("token") || message.contains("fingerprint") {
        EngineError::Refused(format!(
            "the swarm does not take this token; it may have been replaced by a newer one, or be \
             that of another swarm ({message})"
        ))
    } else if message.contains("advertise") {
        EngineError::Refused(format!(
            "Docker does not know under which address the others find this machine; name one of \
             its own ({message})"
        ))
    } else {
        EngineError::Unavailable(format!(
            "no manager of the swarm lets this machine in, or none can be reached at {managers}: \
             TCP port 2377 has to be open there, and TCP and UDP port 7946 and UDP port 4789 \
             among all nodes ({message})"
        ))
    })
}

#[cfg(test)]
mod tests {
    use bollard::models::SwarmInfo;
    use serde_json::json;
    use windlass_engine::Admission;

    use super::is_in;

    #[test]
    fn a_machine_is_in_one_swarm_at_most() {
        let admission =
            Admission { token: "x".into(), managers: vec!["10.0.0.1:2377".parse().unwrap()] };
        let check = |state: &str, manager: &str| {
            let said = json!({
                "LocalNodeState": state,
                "RemoteManagers": [{"NodeID": "m", "Addr": manager}],
            });
            let swarm: SwarmInfo = serde_json::from_value(said).unwrap();
            is_in(&swarm, &admission)
        };
        assert!(!is_in(&SwarmInfo::default(), &admission).unwrap());
        assert!(!check("inactive", "").unwrap());
        assert!(check("active", "10.0.0.1:2377").unwrap());
        for (state, manager) in
            [("active", "10.0.0.9:2377"), ("error", "10.0.0.1:2377"), ("locked", "")]
        {
            let error = check(state, manager).unwrap_err().to_string();
            assert!(error.contains("docker swarm leave"), "{error}");
        }
    }
}
