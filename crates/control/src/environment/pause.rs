//! Stops an environment's app until it is resumed.

use windlass_auth::Permission;
use windlass_domain::{Environment, EnvironmentId, EnvironmentState, JobKind, LogId, PausedBy};
use windlass_storage::Signal;

use crate::{
    Caller, Control, ControlError, Expected,
    environment::{call_off, enqueue_once, find_for_update},
};

/// Pauses an environment: what is on its way is called off, and its app is stopped once the
/// requests to it are through. Asking again changes nothing.
pub async fn pause_environment(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
    expected: Expected,
) -> Result<Environment, ControlError> {
    let mut uow = control.store().write().await?;
    let (found, grant) =
        find_for_update(&mut *uow, caller, Permission::EnvironmentsWrite, id).await?;
    expected.check(found.version)?;
    let by = PausedBy::Person;
    let environment = if found.state == (EnvironmentState::Paused { by }) {
        found
    } else {
        let environment = found.pause(by, control.fx().clock.now())?;
        uow.environments().update(&environment).await?;
        call_off(control, &mut *uow, &environment, "the environment was paused").await?;
        control.say(&mut *uow, LogId::App(id), "The environment was paused").await?;
        environment
    };
    let kind = JobKind::PauseEnvironment { environment_id: id };
    enqueue_once(control, &caller.initiator(), &mut *uow, &environment, kind).await?;
    uow.signal(Signal::Environment(id));
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(environment)
}
