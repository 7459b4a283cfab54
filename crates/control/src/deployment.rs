//! Use cases on deployments.

mod cancel;
mod request;
mod rollback;
mod wait;

pub use self::{
    cancel::cancel_deployment,
    rollback::rollback_deployment,
    wait::{wait_for_build, wait_for_deployment},
};
pub(crate) use self::{
    cancel::cancel_queued,
    request::{enqueue, request},
    rollback::check_build,
};

use windlass_auth::Permission;
use windlass_domain::{Deployment, DeploymentId, EnvironmentId, Page, PageRequest};
use windlass_storage::{Signal, StoreError, UnitOfWork};

use crate::{Caller, Control, ControlError, caller::Granted, environment, telemetry};

/// Finds one deployment.
pub async fn get_deployment(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
) -> Result<Deployment, ControlError> {
    let mut uow = control.store().read().await?;
    find(&mut *uow, caller, Permission::DeploymentsRead, id).await
}

/// Lists an environment's deployments, newest first.
pub async fn list_deployments(
    control: &Control,
    caller: &Caller,
    environment: EnvironmentId,
    page: PageRequest<DeploymentId>,
) -> Result<Page<Deployment>, ControlError> {
    let mut uow = control.store().read().await?;
    environment::find(&mut *uow, caller, Permission::DeploymentsRead, environment).await?;
    Ok(uow.deployments().list(caller.organization(), environment, page).await?)
}

/// Finds a deployment to look at, and decides.
pub(crate) async fn find(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    permission: Permission,
    id: DeploymentId,
) -> Result<Deployment, ControlError> {
    find_granted(uow, caller, permission, id).await.map(|(found, _grant)| found)
}

/// Finds a deployment that something is done with, and decides. The grant is for the line that
/// tells of it.
pub(crate) async fn find_granted(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    permission: Permission,
    id: DeploymentId,
) -> Result<(Deployment, Granted), ControlError> {
    let deployment = uow.deployments().find(caller.organization(), id).await?;
    let deployment = deployment.ok_or(ControlError::NotFound("deployment"))?;
    let target = caller.project(deployment.project_id);
    let target = target.in_environment(deployment.environment_id).in_deployment(id);
    let grant = caller.may_find(target, permission, "deployment")?;
    Ok((deployment, grant))
}

/// Stores what has become of a deployment, tells whoever waits for it, and counts it where it is
/// live or has ended. The host of its source is told later.
pub(crate) async fn update(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    deployment: &Deployment,
) -> Result<(), StoreError> {
    uow.deployments().update(deployment).await?;
    control.enqueue_report(uow, deployment).await?;
    uow.signal(Signal::Deployment(deployment.id));
    if deployment.state.is_settled() {
        let state = deployment.state.name();
        uow.after_commit(Box::new(move || telemetry::deployment_settled(state)));
    }
    Ok(())
}
