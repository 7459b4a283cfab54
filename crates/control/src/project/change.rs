//! Changes a project.

use windlass_auth::Permission;
use windlass_domain::{Project, ProjectChange, ProjectId, Resources};
use windlass_storage::UnitOfWork;

use crate::{
    Caller, Control, ControlError,
    project::{check_source, find_for_update},
    quota,
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
    let before = project.settings.resources;
    let change = edit(present)?;
    check_source(control, &change.git_url)?;
    if change.settings.resources != before {
        take_difference(control, &mut *uow, &project, change.settings.resources).await?;
    }
    let project = project.change(change, control.fx().clock.now())?;
    uow.projects().update(&project).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;

    Ok(project)
}

/// Makes sure that all of a project's environments may use what each is to use from now on.
async fn take_difference(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    wanted: Resources,
) -> Result<(), ControlError> {
    let holdings = uow.projects().list_holdings(project.organization_id).await?;
    let Some(holding) = holdings.iter().find(|holding| holding.project == project.id) else {
        return Ok(());
    };
    let now = quota::held(control, project.settings.resources, holding);
    let then = quota::held(control, wanted, holding);
    quota::take(control, uow, project.organization_id, quota::growth(&now, &then)).await
}
