//! Waits for a deployment's outcome.

use std::time::Duration;

use windlass_domain::{Deployment, DeploymentId};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, get_deployment, watch::Watch};

/// Answers as soon as the deployment is live or has ended, or else after `at_most` with the state
/// that it has by then.
pub async fn wait_for_deployment(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
    at_most: Duration,
) -> Result<Deployment, ControlError> {
    let deadline = tokio::time::Instant::now() + at_most;
    let mut watch = Watch::new(control, Signal::Deployment(id));
    loop {
        let deployment = get_deployment(control, caller, id).await?;
        if deployment.state.is_settled() {
            return Ok(deployment);
        }
        if tokio::time::timeout_at(deadline, watch.changed()).await.is_err() {
            return Ok(deployment);
        }
    }
}
