//! Calls a deployment off.

use windlass_auth::Permission;
use windlass_domain::{
    BuildResult, BuildState, Deployment, DeploymentId, DeploymentState, JobKind, JobState, LogId,
    Usage,
};
use windlass_storage::{Signal, UnitOfWork};

use crate::{
    Caller, Control, ControlError,
    deployment::{find_granted, update},
    environment,
};

/// Calls a deployment off, whether it waits, is being built or is being started; what answers now
/// goes on answering. Calling it off twice changes nothing.
pub async fn cancel_deployment(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
) -> Result<Deployment, ControlError> {
    let mut uow = control.store().write().await?;
    let (found, grant) = find_granted(&mut *uow, caller, Permission::DeploymentsWrite, id).await?;
    // Whoever changes anything in an environment holds its row first; then the state is certain.
    let (held, _) = environment::find_for_update(
        &mut *uow,
        caller,
        Permission::DeploymentsWrite,
        found.environment_id,
    )
    .await?;
    let found = uow.deployments().find_for_update(caller.organization(), id).await?;
    let found = found.ok_or(ControlError::NotFound("deployment"))?;

    let reason = format!("cancelled by {}", caller.principal.label());
    let cancelled = match &found.state {
        DeploymentState::Cancelled { .. } => return Ok(found),
        DeploymentState::Queued => cancel_queued(control, &mut *uow, found, &reason).await?,
        DeploymentState::Building
        | DeploymentState::Deploying
        | DeploymentState::Live { .. }
        | DeploymentState::Superseded { .. }
        | DeploymentState::Failed { .. } => {
            // Its job is at work, sees this and ends what it has begun.
            let cancelled = found.cancel(&reason, control.fx().clock.now())?;
            update(control, &mut *uow, &cancelled).await?;
            cancelled
        }
    };
    environment::after_cancel(control, &mut *uow, held, &reason).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;

    tracing::info!(deployment.id = %id, "deployment cancelled");
    Ok(cancelled)
}

/// Calls off a deployment that nobody has begun: with its build, which has used nothing, and its
/// job. The caller holds the environment's row.
pub(crate) async fn cancel_queued(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    deployment: Deployment,
    reason: &str,
) -> Result<Deployment, ControlError> {
    let now = control.fx().clock.now();
    let organization = deployment.organization_id;
    let jobs = uow.jobs().list_unfinished_for_update(deployment.environment_id).await?;
    for job in jobs {
        let is_its = job.kind == JobKind::Deploy { deployment_id: deployment.id };
        // A leased one has not begun to build yet; it sees the cancelled deployment and ends.
        if is_its && matches!(job.state, JobState::Queued { .. }) {
            uow.jobs().update(&job.cancel(reason, now)?).await?;
        }
    }
    let build = uow.builds().find_for_update(organization, deployment.build_id).await?;
    if let Some(build) = build.filter(|build| build.state == BuildState::Pending) {
        let log = LogId::Build(build.id);
        let build = build.end(BuildResult::Cancelled, reason, Usage::default(), now)?;
        uow.builds().update(&build).await?;
        uow.logs().end(log).await?;
        uow.signal(Signal::Log(log));
    }
    let deployment = deployment.cancel(reason, now)?;
    update(control, uow, &deployment).await?;
    Ok(deployment)
}
