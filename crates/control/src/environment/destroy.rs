//! Takes an environment down.

use windlass_auth::Permission;
use windlass_domain::{Environment, EnvironmentId, EnvironmentState, JobKind};
use windlass_storage::{Signal, UnitOfWork};

use crate::{
    Caller, Control, ControlError, Expected,
    caller::Initiator,
    environment::{call_off, enqueue_once, find_for_update},
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
    let environment = begin_destroying(control, &caller.initiator(), &mut *uow, id).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(environment)
}

/// The same inside a larger unit of work, whose use case has decided already.
pub(crate) async fn begin_destroying(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    id: EnvironmentId,
) -> Result<Environment, ControlError> {
    let found = uow.environments().find_for_update(initiator.organization, id).await?;
    let found = found.ok_or(ControlError::NotFound("environment"))?;
    let environment = if found.state == EnvironmentState::Destroying {
        found
    } else {
        let environment = found.destroy(control.fx().clock.now())?;
        uow.environments().update(&environment).await?;
        call_off(control, uow, &environment, "the environment is being destroyed").await?;
        environment
    };
    let kind = JobKind::DestroyEnvironment { environment_id: id };
    enqueue_once(control, initiator, uow, &environment, kind).await?;
    uow.signal(Signal::Environment(id));
    tracing::info!(environment.id = %id, "environment is being destroyed");
    Ok(environment)
}
