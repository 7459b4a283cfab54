//! Waits for a project's end.

use std::time::Duration;

use windlass_domain::{Project, ProjectId, ProjectState};

use crate::{Caller, Control, ControlError, get_project, watch::Watch};

/// Answers as soon as a project that is being deleted is gone, or else after `at_most` with the
/// state that it has by then.
pub async fn wait_until_deleted(
    control: &Control,
    caller: &Caller,
    deleting: Project,
    at_most: Duration,
) -> Result<Project, ControlError> {
    if matches!(deleting.state, ProjectState::Deleted { .. }) {
        return Ok(deleting);
    }
    // It ends together with its last environment.
    let watch = Watch::of_environments(control, control.settings().poll);
    let look = || look(control, caller, deleting.id);
    match watch.until(at_most, look, Option::is_none).await? {
        Some(project) => Ok(project),
        None => Ok(deleting.finish_deleting(control.fx().clock.now())?),
    }
}

/// The project, until it is gone.
async fn look(
    control: &Control,
    caller: &Caller,
    id: ProjectId,
) -> Result<Option<Project>, ControlError> {
    match get_project(control, caller, id).await {
        Ok(project) => Ok(Some(project)),
        Err(ControlError::NotFound(_)) => Ok(None),
        Err(err) => Err(err),
    }
}
