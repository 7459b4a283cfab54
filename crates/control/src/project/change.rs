//! Changes a project.

use windlass_auth::Permission;
use windlass_domain::{Project, ProjectChange, ProjectId};

use crate::{
    Caller, Control, ControlError,
    project::{check_source, find_for_update},
};

/// Which version of a thing the caller believes to change (HTTP's `If-Match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever it is by now.
    #[default]
    Any,
    /// Exactly this one; otherwise [`ControlError::Changed`].
    Version(u64),
}

impl Expected {
    pub(crate) fn check(self, version: u64) -> Result<(), ControlError> {
        match self {
            Self::Version(expected) if expected != version => Err(ControlError::Changed),
            Self::Any | Self::Version(_) => Ok(()),
        }
    }
}

/// Changes a project: `edit` gets its present values and returns the new ones. The next
/// deployment follows them; what runs is not touched.
pub async fn update_project<F>(
    control: &Control,
    caller: &Caller,
    id: ProjectId,
    expected: Expected,
    edit: F,
) -> Result<Project, ControlError>
where
    F: FnOnce(ProjectChange) -> Result<ProjectChange, ControlError> + Send,
{
    let mut uow = control.store().write().await?;
    let (project, grant) =
        find_for_update(&mut *uow, caller, Permission::ProjectsWrite, id).await?;
    expected.check(project.version)?;

    let present = ProjectChange {
        name: project.name.clone(),
        git_url: project.git_url.clone(),
        github_repo: project.github_repo.clone(),
        default_branch: project.default_branch.clone(),
        settings: project.settings.clone(),
    };
    let change = edit(present)?;
    check_source(control, &change.git_url)?;
    let project = project.change(change, control.fx().clock.now())?;
    uow.projects().update(&project).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;

    Ok(project)
}
