//! Empties what an environment's backing services hold, and starts its app as in a new one.

use windlass_auth::Permission;
use windlass_domain::{
    Deployment, DeploymentKind, DeploymentState, Environment, EnvironmentId, EnvironmentState,
    LogId, NewDeployment, PageRequest, Services, Trigger,
};
use windlass_manifest::Manifest;
use windlass_storage::{Signal, UnitOfWork};

use crate::{
    Caller, Control, ControlError, Expected, deployment,
    environment::{call_off, find_for_update},
    quota,
    worker::find_manifest,
};

/// Empties an environment's database, Redis and bucket, and starts again what ran in it last, as
/// in a new environment; without a build, as long as that is kept. What is on its way is called
/// off. Asking again while that goes on changes nothing.
pub async fn reset_environment(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
    expected: Expected,
) -> Result<Deployment, ControlError> {
    let mut uow = control.store().write().await?;
    let (found, grant) =
        find_for_update(&mut *uow, caller, Permission::EnvironmentsWrite, id).await?;
    expected.check(found.version)?;
    let deployment = match find_resetting(&mut *uow, &found).await? {
        Some(deployment) => deployment,
        None => begin(control, caller, &mut *uow, found).await?,
    };
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(deployment)
}

/// The deployment of a reset that is on its way.
async fn find_resetting(
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
) -> Result<Option<Deployment>, ControlError> {
    if environment.state != EnvironmentState::Resetting {
        return Ok(None);
    }
    let (organization, id) = (environment.organization_id, environment.id);
    let unfinished = uow.deployments().list_unfinished_for_update(organization, id).await?;
    // Whichever comes first empties the services.
    let is_on_its_way = |one: &Deployment| !matches!(one.state, DeploymentState::Live { .. });
    Ok(unfinished.into_iter().find(is_on_its_way))
}

async fn begin(
    control: &Control,
    caller: &Caller,
    uow: &mut dyn UnitOfWork,
    found: Environment,
) -> Result<Deployment, ControlError> {
    let environment = found.clone().reset(control.fx().clock.now())?;
    let newest = PageRequest::new(None, Some(100)).unwrap_or_default();
    let earlier = uow.deployments().list(found.organization_id, found.id, newest).await?.items;
    let last = find_last(control, uow, &found, &earlier).await?;
    check_services(uow, &found, last.or(earlier.first())).await?;
    uow.environments().update(&environment).await?;
    call_off(control, uow, &environment, "the environment is being reset").await?;
    control.say(uow, LogId::App(environment.id), "The environment is being reset").await?;
    uow.signal(Signal::Environment(environment.id));
    let initiator = caller.initiator();
    let Some(last) = last else {
        quota::take(control, uow, environment.organization_id, quota::A_BUILD).await?;
        let trigger = Trigger::Rebuild;
        return deployment::request(control, &initiator, uow, &environment, trigger, None).await;
    };
    let deployment = Deployment::request(
        NewDeployment {
            organization_id: environment.organization_id,
            project_id: environment.project_id,
            environment_id: environment.id,
            kind: DeploymentKind::BrandNew,
            trigger: Trigger::Reset,
            requested_by: initiator.label.clone(),
            commit: last.commit.clone(),
            build_id: last.build_id,
        },
        control.fx(),
    );
    deployment::enqueue(control, &initiator, uow, &deployment).await?;
    Ok(deployment)
}

/// The deployment whose build is started again: of the app that answers, or of the newest that
/// did and is kept. Where there is none, the branch is built anew.
async fn find_last<'a>(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
    earlier: &'a [Deployment],
) -> Result<Option<&'a Deployment>, ControlError> {
    for one in earlier {
        let is_live = environment.live_deployment == Some(one.id);
        let was_live = matches!(one.state, DeploymentState::Superseded { .. });
        if is_live || was_live && deployment::check_build(control, uow, one).await.is_ok() {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

async fn check_services(
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
    last: Option<&Deployment>,
) -> Result<(), ControlError> {
    let organization = environment.organization_id;
    let project = uow.projects().find(organization, environment.project_id).await?;
    let project = project.ok_or(ControlError::NotFound("project"))?;
    let manifest = match last {
        Some(last) => find_manifest(uow, organization, last.build_id).await?,
        None => Manifest::default(),
    };
    if manifest.over(&project.settings).services == Services::NONE {
        let message = "the environment has no database, Redis or bucket that could be emptied";
        return Err(ControlError::conflict("no_services", message));
    }
    Ok(())
}
