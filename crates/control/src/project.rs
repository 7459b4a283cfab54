//! Use cases on projects.

mod change;
mod create;
mod delete;
mod wait;

pub use self::{
    change::{Expected, update_project},
    create::{CreateProject, create_project},
    delete::delete_project,
    wait::wait_until_deleted,
};
pub(crate) use self::{create::suffix, delete::finish_if_empty};

use windlass_auth::{Permission, ProjectReach, Target};
use windlass_domain::{GitUrl, Page, PageRequest, Project, ProjectId, Protocol};
use windlass_storage::{ProjectFilter, UnitOfWork};

use crate::{Caller, Control, ControlError, caller::Granted};

/// Finds one project.
pub async fn get_project(
    control: &Control,
    caller: &Caller,
    id: ProjectId,
) -> Result<Project, ControlError> {
    let mut uow = control.store().read().await?;
    find(&mut *uow, caller, Permission::ProjectsRead, id).await
}

/// Lists projects, newest first: those that the caller's credential reaches.
pub async fn list_projects(
    control: &Control,
    caller: &Caller,
    page: PageRequest<ProjectId>,
) -> Result<Page<Project>, ControlError> {
    caller.may_read(Permission::ProjectsRead, Target::projects(caller.organization()))?;

    let filter = ProjectFilter { only: only(caller) };
    let mut uow = control.store().read().await?;
    Ok(uow.projects().list(caller.organization(), &filter, page).await?)
}

/// The projects to which a credential is bound, if it is.
pub(crate) fn only(caller: &Caller) -> Option<Vec<ProjectId>> {
    match &caller.principal.projects {
        ProjectReach::All => None,
        ProjectReach::Only(projects) => Some(projects.to_vec()),
    }
}

/// Finds a project to look at, and decides.
pub(crate) async fn find(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    permission: Permission,
    id: ProjectId,
) -> Result<Project, ControlError> {
    let project = uow.projects().find(caller.organization(), id).await?;
    let project = project.ok_or(ControlError::NotFound("project"))?;
    let _grant = caller.may_find(caller.project(id), permission, "project")?;
    Ok(project)
}

/// Finds a project that is about to change, and decides. The grant is for the line that tells of
/// the change.
pub(crate) async fn find_for_update(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    permission: Permission,
    id: ProjectId,
) -> Result<(Project, Granted), ControlError> {
    let project = uow.projects().find_for_update(caller.organization(), id).await?;
    let project = project.ok_or(ControlError::NotFound("project"))?;
    let grant = caller.may_find(caller.project(id), permission, "project")?;
    Ok((project, grant))
}

/// Paths on the server's machine are the operator's to allow.
fn check_source(control: &Control, url: &GitUrl) -> Result<(), ControlError> {
    if url.protocol() == Protocol::File && !control.settings().allow_local_git {
        return Err(ControlError::Invalid {
            field: "git_url",
            message: "must not be a path on the server's machine: this server does not allow it"
                .to_owned(),
        });
    }
    Ok(())
}
