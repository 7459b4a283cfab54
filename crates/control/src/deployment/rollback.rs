//! Runs an earlier deployment's build again.

use windlass_auth::Permission;
use windlass_domain::{
    BuildEnd, BuildResult, BuildState, Deployment, DeploymentId, NewDeployment, Trigger,
};
use windlass_storage::UnitOfWork;

use crate::{
    Caller, Control, ControlError,
    deployment::{
        find_granted,
        request::{enqueue, kind_of},
    },
    environment,
};

/// Makes a new deployment that runs what `to` built, without building. Deployments that still
/// wait their turn are called off.
pub async fn rollback_deployment(
    control: &Control,
    caller: &Caller,
    to: DeploymentId,
) -> Result<Deployment, ControlError> {
    let mut uow = control.store().write().await?;
    let (earlier, grant) =
        find_granted(&mut *uow, caller, Permission::DeploymentsWrite, to).await?;
    let (environment, _) = environment::find_for_update(
        &mut *uow,
        caller,
        Permission::DeploymentsWrite,
        earlier.environment_id,
    )
    .await?;
    let environment = environment.refresh(control.fx().clock.now())?;
    check_build(control, &mut *uow, &earlier).await?;

    uow.environments().update(&environment).await?;
    let deployment = Deployment::request(
        NewDeployment {
            organization_id: earlier.organization_id,
            project_id: earlier.project_id,
            environment_id: earlier.environment_id,
            kind: kind_of(&environment),
            trigger: Trigger::Rollback { to },
            requested_by: caller.principal.label(),
            commit: earlier.commit,
            build_id: earlier.build_id,
        },
        control.fx(),
    );
    let reason = format!("superseded by {}", deployment.id);
    environment::supersede_queued(control, &mut *uow, &environment, None, &reason).await?;
    enqueue(control, &caller.initiator(), &mut *uow, &deployment).await?;
    control.write_down(&mut *uow, caller.did(grant, to)).await?;
    uow.commit().await?;
    Ok(deployment)
}

/// What it built must exist and must not have been collected.
pub(crate) async fn check_build(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    earlier: &Deployment,
) -> Result<(), ControlError> {
    let build = uow.builds().find(earlier.organization_id, earlier.build_id).await?;
    let is_built = build.is_some_and(|build| {
        matches!(build.state, BuildState::Ended(BuildEnd { result: BuildResult::Built, .. }))
    });
    if !is_built {
        let message = "this deployment has no finished build to go back to";
        return Err(ControlError::conflict("not_built", message));
    }
    let kept = uow.builds().list_needed_of_everyone(control.settings().kept_builds).await?;
    if !kept.contains(&earlier.build_id) {
        let message = "what this deployment built is no longer kept: rebuild instead";
        return Err(ControlError::conflict("build_collected", message));
    }
    Ok(())
}
