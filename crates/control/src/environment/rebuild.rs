//! Deploys an environment's branch again.

use windlass_auth::Permission;
use windlass_domain::{CommitId, Deployment, DeploymentState, Environment, EnvironmentId, Trigger};
use windlass_storage::{Signal, UnitOfWork};

use crate::{
    Caller, Control, ControlError, caller::Initiator, deployment, environment::find_for_update,
    quota,
};

/// Deploys the latest commit of an environment's branch. Deployments that still wait their turn
/// are called off; one that is being built goes on.
pub async fn rebuild_environment(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
) -> Result<Deployment, ControlError> {
    let mut uow = control.store().write().await?;
    let (environment, grant) =
        find_for_update(&mut *uow, caller, Permission::DeploymentsWrite, id).await?;
    let initiator = caller.initiator();
    let deployment =
        redeploy(control, &initiator, &mut *uow, environment, Trigger::Rebuild, None).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(deployment)
}

/// Deploys a branch's latest commit in place of what waits. The caller holds the environment's row.
pub(crate) async fn redeploy(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    environment: Environment,
    trigger: Trigger,
    commit: Option<CommitId>,
) -> Result<Deployment, ControlError> {
    quota::take(control, uow, environment.organization_id, quota::A_BUILD).await?;
    let environment = environment.refresh(control.fx().clock.now())?;
    uow.environments().update(&environment).await?;
    let deployment =
        deployment::request(control, initiator, uow, &environment, trigger, commit).await?;
    let reason = format!("superseded by {}", deployment.id);
    supersede_queued(control, uow, &environment, Some(&deployment), &reason).await?;
    Ok(deployment)
}

/// Calls off an environment's deployments that nobody has begun, but for `except`, and their jobs.
/// A reset stays: no other deployment makes up for it. The caller holds the environment's row.
pub(crate) async fn supersede_queued(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
    except: Option<&Deployment>,
    reason: &str,
) -> Result<(), ControlError> {
    let organization = environment.organization_id;
    let unfinished =
        uow.deployments().list_unfinished_for_update(organization, environment.id).await?;
    for waiting in unfinished {
        let is_kept =
            except.is_some_and(|kept| kept.id == waiting.id) || waiting.trigger == Trigger::Reset;
        if is_kept || waiting.state != DeploymentState::Queued {
            continue;
        }
        deployment::cancel_queued(control, uow, waiting, reason).await?;
    }
    uow.signal(Signal::Environment(environment.id));
    Ok(())
}
