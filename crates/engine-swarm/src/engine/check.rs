//! Whether this swarm can be used, and how well.

use std::time::Duration;

use bollard::models::{LocalNodeState, SwarmInfo, SystemInfo};
use windlass_engine::EngineError;
use windlass_engine_kit::faults::{git_error, internal};

use super::Shared;
use crate::daemon::{NO_MANAGER, daemon_error, is_recent, speaks};

/// The version of Docker's API that is needed at least: that of Docker 20.10, the first in which
/// services have limits on processes and capabilities.
pub(crate) const OLDEST: (usize, usize) = (1, 41);
/// How long a daemon may take that is fit to be used.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first in which services can forbid new privileges: that of Docker 26.
const FORBIDS_PRIVILEGES: (usize, usize) = (1, 45);

impl Shared {
    pub(super) async fn check(&self) -> Result<(), EngineError> {
        let checked = tokio::time::timeout(PATIENCE, self.check_everything()).await;
        checked.unwrap_or_else(|_| {
            let text = "the Docker daemon of this server does not answer in time";
            Err(EngineError::Unavailable(text.to_owned()))
        })
    }

    async fn check_everything(&self) -> Result<(), EngineError> {
        self.git.version().await.map_err(git_error)?;
        let supervisor = &self.config.supervisor.program;
        std::fs::metadata(supervisor).map_err(internal("looking for the supervisor's program"))?;

        let docker = self.daemon.docker().await?;
        // Asked before anything else: an old daemon may not understand.
        docker.ping().await.map_err(daemon_error("asking whether it is there"))?;
        is_recent(docker, OLDEST)?;
        let info = self.info().await?;
        if is_manager(info.swarm.as_ref()) {
            Ok(())
        } else {
            Err(EngineError::Unavailable(NO_MANAGER.to_owned()))
        }
    }

    pub(super) async fn info(&self) -> Result<SystemInfo, EngineError> {
        self.daemon.docker().await?.info().await.map_err(daemon_error("asking about itself"))
    }

    /// What works less well than it could. An absent daemon has nothing to be warned of.
    pub(super) async fn warnings(&self) -> Vec<String> {
        tokio::time::timeout(PATIENCE, self.look_for_warnings()).await.unwrap_or_default()
    }

    async fn look_for_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let (Ok(docker), Ok(info)) = (self.daemon.docker().await, self.info().await) else {
            return warnings;
        };
        let nodes = info.swarm.as_ref().and_then(|swarm| swarm.nodes).unwrap_or(1);
        if self.config.registry.is_none() && 1 < nodes {
            warnings.push(format!(
                "the swarm has {nodes} nodes, and no registry is configured from which they could \
                 get images: apps run on the node that builds them. Set `swarm.registry`"
            ));
        }
        if speaks(docker) < FORBIDS_PRIVILEGES {
            warnings.push(
                "this Docker cannot forbid new privileges to services: unless dockerd was started \
                 with `--no-new-privileges`, apps can use setuid programs of their images. Docker \
                 26 can"
                    .to_owned(),
            );
        }
        if self.group_for_builds(&info, "probe").is_absent() {
            warnings.push(
                "the control groups of this Docker cannot be used from here (it is on another \
                 machine, or systemd owns them): each step of a build is limited by itself, its \
                 processes are not limited, and what it used is what Docker shows once a second"
                    .to_owned(),
            );
        }
        warnings
    }
}

fn is_manager(swarm: Option<&SwarmInfo>) -> bool {
    swarm.is_some_and(|swarm| {
        swarm.local_node_state == Some(LocalNodeState::ACTIVE)
            && swarm.control_available == Some(true)
    })
}
