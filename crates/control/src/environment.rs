//! Use cases on environments.

mod call_off;
mod create;
mod destroy;
mod pause;
mod rebuild;
mod reset;
mod rest;
mod resume;
mod wait;

use self::call_off::{call_off, enqueue_once};
pub use self::{
    create::create_environment, destroy::destroy_environment, pause::pause_environment,
    rebuild::rebuild_environment, reset::reset_environment, rest::wake_environment,
    resume::resume_environment, wait::wait_until_destroyed,
};
pub(crate) use self::{
    create::{Wanted, found},
    destroy::begin_destroying,
    rebuild::{redeploy, supersede_queued},
};

use windlass_auth::Permission;
use windlass_domain::{
    Deployment, DeploymentState, Environment, EnvironmentId, EnvironmentState, Page, PageRequest,
    ProjectId,
};
use windlass_storage::{Signal, UnitOfWork};

use crate::{Caller, Control, ControlError, caller::Granted, project};

/// An environment and what happened to it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentDetail {
    /// The environment.
    pub environment: Environment,
    /// Its newest deployment.
    pub latest_deployment: Option<Deployment>,
}

/// Finds one environment.
pub async fn get_environment(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
) -> Result<EnvironmentDetail, ControlError> {
    let mut uow = control.store().read().await?;
    let environment = find(&mut *uow, caller, Permission::EnvironmentsRead, id).await?;
    let newest = PageRequest::new(None, Some(1)).unwrap_or_default();
    let page = uow.deployments().list(caller.organization(), id, newest).await?;
    Ok(EnvironmentDetail { environment, latest_deployment: page.items.into_iter().next() })
}

/// Lists a project's environments, newest first.
pub async fn list_environments(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    page: PageRequest<EnvironmentId>,
) -> Result<Page<EnvironmentDetail>, ControlError> {
    let organization = caller.organization();
    let mut uow = control.store().read().await?;
    project::find(&mut *uow, caller, Permission::EnvironmentsRead, project).await?;
    let page = uow.environments().list(organization, project, page).await?;

    let ids: Vec<EnvironmentId> = page.items.iter().map(|environment| environment.id).collect();
    let mut newest = uow.deployments().list_newest_of(organization, &ids).await?;
    let items = page.items.into_iter().map(|environment| {
        let found = newest.iter().position(|found| found.environment_id == environment.id);
        let latest_deployment = found.map(|at| newest.swap_remove(at));
        EnvironmentDetail { environment, latest_deployment }
    });
    Ok(Page { items: items.collect(), has_next: page.has_next })
}

/// Finds an environment to look at, and decides. A destroyed one is there for whoever has its
/// identifier.
pub(crate) async fn find(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    permission: Permission,
    id: EnvironmentId,
) -> Result<Environment, ControlError> {
    let environment = uow.environments().find(caller.organization(), id).await?;
    let environment = environment.ok_or(ControlError::NotFound("environment"))?;
    let _grant = decide(caller, permission, &environment)?;
    Ok(environment)
}

/// Locks an environment and everything that happens in it, and decides. The grant is for the line
/// that tells of the change.
pub(crate) async fn find_for_update(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    permission: Permission,
    id: EnvironmentId,
) -> Result<(Environment, Granted), ControlError> {
    let environment = uow.environments().find_for_update(caller.organization(), id).await?;
    let environment = environment.ok_or(ControlError::NotFound("environment"))?;
    let grant = decide(caller, permission, &environment)?;
    Ok((environment, grant))
}

/// Decides about an environment that was found.
pub(crate) fn decide(
    caller: &Caller,
    permission: Permission,
    environment: &Environment,
) -> Result<Granted, ControlError> {
    let target = caller.project(environment.project_id).in_environment(environment.id);
    caller.may_find(target, permission, "environment")
}

/// After a deployment was called off: an environment that waited for it, and for no other, has
/// nothing to wait for any more. The caller holds the environment's row.
pub(crate) async fn after_cancel(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    environment: Environment,
    reason: &str,
) -> Result<(), ControlError> {
    let (organization, id) = (environment.organization_id, environment.id);
    let waits =
        matches!(environment.state, EnvironmentState::Provisioning | EnvironmentState::Resetting);
    let unfinished = uow.deployments().list_unfinished_for_update(organization, id).await?;
    let is_on_its_way = |one: &Deployment| !matches!(one.state, DeploymentState::Live { .. });
    if !waits || unfinished.iter().any(is_on_its_way) {
        return Ok(());
    }
    let what =
        if environment.state == EnvironmentState::Resetting { "reset" } else { "first deployment" };
    let reason = format!("its {what} was {reason}");
    let environment = environment.deployment_failed(&reason, control.fx().clock.now())?;
    uow.environments().update(&environment).await?;
    uow.signal(Signal::Environment(id));
    Ok(())
}
