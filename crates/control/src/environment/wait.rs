//! Waits for an environment's end.

use std::time::Duration;

use windlass_auth::Permission;
use windlass_domain::{Environment, EnvironmentId, EnvironmentState};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, environment::find, watch::Watch};

/// Answers as soon as the environment is destroyed, or else after `at_most` with the state that it
/// has by then.
pub async fn wait_until_destroyed(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
    at_most: Duration,
) -> Result<Environment, ControlError> {
    let watch = Watch::new(control, Signal::Environment(id));
    let look = || look(control, caller, id);
    watch.until(at_most, look, is_destroyed).await
}

async fn look(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
) -> Result<Environment, ControlError> {
    let mut uow = control.store().read().await?;
    find(&mut *uow, caller, Permission::EnvironmentsRead, id).await
}

fn is_destroyed(environment: &Environment) -> bool {
    matches!(environment.state, EnvironmentState::Destroyed { .. })
}
