//! Waits for a deployment's outcome.

use std::time::Duration;

use windlass_auth::Permission;
use windlass_domain::{BuildState, Deployment, DeploymentId, LogId};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, deployment::find, get_deployment, watch::Watch};

/// Answers as soon as the deployment is live or has ended, or else after `at_most` with the state
/// that it has by then.
pub async fn wait_for_deployment(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
    at_most: Duration,
) -> Result<Deployment, ControlError> {
    let watch = Watch::new(control, Signal::Deployment(id));
    let look = || get_deployment(control, caller, id);
    watch.until(at_most, look, |deployment| deployment.state.is_settled()).await
}

/// Answers as soon as the build that the deployment runs has ended, or else after `at_most`: one
/// that was called off ends a little later than its deployment.
pub async fn wait_for_build(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
    at_most: Duration,
) -> Result<Deployment, ControlError> {
    let deployment = get_deployment(control, caller, id).await?;
    // A build ends together with its log.
    let watch = Watch::new(control, Signal::Log(LogId::Build(deployment.build_id)));
    let look = || look_at_build(control, caller, id);
    let (deployment, _) = watch.until(at_most, look, |(_, has_ended)| *has_ended).await?;
    Ok(deployment)
}

/// A deployment, and whether its build has ended.
async fn look_at_build(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
) -> Result<(Deployment, bool), ControlError> {
    let mut uow = control.store().read().await?;
    let deployment = find(&mut *uow, caller, Permission::DeploymentsRead, id).await?;
    let build = uow.builds().find(deployment.organization_id, deployment.build_id).await?;
    let has_ended = build.is_none_or(|build| matches!(build.state, BuildState::Ended(_)));
    Ok((deployment, has_ended))
}
