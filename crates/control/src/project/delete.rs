//! Deletes a project.

use windlass_auth::Permission;
use windlass_domain::{PageRequest, Project, ProjectId, ProjectState};
use windlass_storage::UnitOfWork;

use crate::{Caller, Control, ControlError, Expected, environment, project::find_for_update};

/// Deletes a project with all its environments. It is gone at once where it has none; otherwise
/// when the last of them has been taken down.
pub async fn delete_project(
    control: &Control,
    caller: &Caller,
    id: ProjectId,
    expected: Expected,
) -> Result<Project, ControlError> {
    let now = control.fx().clock.now();
    let mut uow = control.store().write().await?;
    let (project, grant) =
        find_for_update(&mut *uow, caller, Permission::ProjectsWrite, id).await?;
    expected.check(project.version)?;
    let project = if matches!(project.state, ProjectState::Deleting { .. }) {
        // Asked again: removals that were given up are tried once more.
        project
    } else {
        let project = project.delete(now)?;
        uow.projects().update(&project).await?;
        project
    };

    let initiator = caller.initiator();
    let mut page = PageRequest::default();
    loop {
        let environments = uow.environments().list(caller.organization(), id, page).await?;
        for found in &environments.items {
            environment::begin_destroying(control, &initiator, &mut *uow, found.id).await?;
        }
        match environments.items.last() {
            Some(last) if environments.has_next => page.cursor = Some(last.id),
            Some(_) | None => break,
        }
    }
    let project = finish_if_empty(control, &mut *uow, project).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;

    tracing::info!(project.id = %project.id, state = project.state.name(), "project deleted");
    Ok(project)
}

/// Ends a project that is being deleted, once its last environment is gone. The caller holds the
/// project's row.
pub(crate) async fn finish_if_empty(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    project: Project,
) -> Result<Project, ControlError> {
    let page = PageRequest::default();
    let left = uow.environments().list(project.organization_id, project.id, page).await?;
    if !left.items.is_empty() {
        return Ok(project);
    }
    let project = project.finish_deleting(control.fx().clock.now())?;
    uow.projects().update(&project).await?;
    uow.env_vars().delete_of_project(project.organization_id, project.id).await?;
    Ok(project)
}
