//! Takes an environment down.

use windlass_auth::Permission;
use windlass_domain::{
    DeploymentState, Environment, EnvironmentId, EnvironmentState, Job, JobKind, NewJob,
};
use windlass_storage::{Signal, UnitOfWork};

use crate::{
    Caller, Control, ControlError, Expected, deployment,
    environment::{find_for_update, supersede_queued},
};

/// Takes an environment down: what waits is called off, what is being built or started is ended,
/// its app is stopped. Asking again while that goes on changes nothing.
pub async fn destroy_environment(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
    expected: Expected,
) -> Result<Environment, ControlError> {
    let mut uow = control.store().write().await?;
    let (found, grant) =
        find_for_update(&mut *uow, caller, Permission::EnvironmentsWrite, id).await?;
    expected.check(found.version)?;
    let environment = begin_destroying(control, caller, &mut *uow, id).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(environment)
}

/// The same inside a larger unit of work, whose use case has decided already.
pub(crate) async fn begin_destroying(
    control: &Control,
    caller: &Caller,
    uow: &mut dyn UnitOfWork,
    id: EnvironmentId,
) -> Result<Environment, ControlError> {
    let organization = caller.organization();
    let found = uow.environments().find_for_update(organization, id).await?;
    let environment = found.ok_or(ControlError::NotFound("environment"))?;
    let kind = JobKind::DestroyEnvironment { environment_id: id };
    let environment = if environment.state == EnvironmentState::Destroying {
        let jobs = uow.jobs().list_unfinished_for_update(id).await?;
        if jobs.iter().any(|job| job.kind == kind) {
            return Ok(environment);
        }
        // The job was given up: another one tries again.
        environment
    } else {
        call_off(control, uow, environment).await?
    };

    let job = Job::enqueue(
        NewJob {
            organization_id: organization,
            lane: Some(id),
            kind,
            max_attempts: control.settings().job_attempts,
            request_id: caller.occasion.request_id.clone(),
        },
        control.fx(),
    );
    uow.jobs().insert(&job).await?;
    uow.signal(Signal::Jobs);
    uow.signal(Signal::Environment(id));

    tracing::info!(environment.id = %id, "environment is being destroyed");
    Ok(environment)
}

/// Marks the environment and ends everything on its way in it.
async fn call_off(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    environment: Environment,
) -> Result<Environment, ControlError> {
    let (organization, id) = (environment.organization_id, environment.id);
    let now = control.fx().clock.now();
    let environment = environment.destroy(now)?;
    uow.environments().update(&environment).await?;

    let reason = "the environment is being destroyed";
    supersede_queued(control, uow, &environment, None, reason).await?;
    let unfinished = uow.deployments().list_unfinished_for_update(organization, id).await?;
    for running in unfinished {
        if !matches!(running.state, DeploymentState::Live { .. }) {
            // Its job is at work, sees this and ends what it has begun.
            deployment::update(uow, &running.cancel(reason, now)?).await?;
        }
    }
    Ok(environment)
}
