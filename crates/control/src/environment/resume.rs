//! Starts the app of a paused environment again.

use windlass_auth::Permission;
use windlass_domain::{Environment, EnvironmentId, EnvironmentState, LogId};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, Expected, environment::find_for_update};

/// Resumes a paused environment: the app that answered last is started again, without a build.
/// The reconciler does it, as for every live app that does not run. Asking again changes nothing.
pub async fn resume_environment(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
    expected: Expected,
) -> Result<Environment, ControlError> {
    let mut uow = control.store().write().await?;
    let (found, grant) =
        find_for_update(&mut *uow, caller, Permission::EnvironmentsWrite, id).await?;
    expected.check(found.version)?;
    let environment = if found.state == EnvironmentState::Active {
        found
    } else {
        let environment = found.resume(control.fx().clock.now())?;
        uow.environments().update(&environment).await?;
        control.say(&mut *uow, LogId::App(id), "The environment was resumed").await?;
        uow.signal(Signal::Environment(id));
        environment
    };
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(environment)
}
