//! Creates an environment and deploys its branch.

use windlass_auth::Permission;
use windlass_domain::{
    BranchName, Deployment, Environment, HostLabel, NewEnvironment, ProjectId, ProjectState, Slug,
    TransitionError, Trigger,
};
use windlass_storage::{Signal, StoreError, UnitOfWork};

use crate::{
    Caller, Control, ControlError, EnvironmentDetail, deployment,
    project::{self, suffix},
    quota,
};

/// How often a host label is tried with another suffix before it is a fault of ours.
const HOST_ATTEMPTS: usize = 8;

/// Creates an environment for a branch and deploys the branch's latest commit.
pub async fn create_environment(
    control: &Control,
    caller: &Caller,
    project: ProjectId,
    branch: BranchName,
) -> Result<EnvironmentDetail, ControlError> {
    let mut uow = control.store().write().await?;
    let (project, grant) =
        project::find_for_update(&mut *uow, caller, Permission::EnvironmentsWrite, project).await?;
    if project.state != ProjectState::Active {
        let (wanted, state) = ("add an environment to", project.state.name());
        return Err(TransitionError { wanted, entity: "project", state }.into());
    }

    let host = HostLabel::plain(&branch, &project.slug)
        .unwrap_or_else(|| HostLabel::suffixed(&branch, &project.slug, &suffix(control)));
    let environment = Environment::create(
        NewEnvironment {
            organization_id: project.organization_id,
            project_id: project.id,
            branch,
            host,
        },
        control.fx(),
    );
    let one = quota::environments(control, project.settings.resources, 1);
    quota::take(control, &mut *uow, project.organization_id, one).await?;
    let environment = insert(control, &mut *uow, environment, &project.slug).await?;
    let deployment: Deployment =
        deployment::request(control, caller, &mut *uow, &environment, Trigger::Created).await?;
    control.write_down(&mut *uow, caller.did(grant, environment.id)).await?;
    uow.signal(Signal::Environment(environment.id));
    uow.commit().await?;

    tracing::info!(environment.id = %environment.id, host = %environment.host, "environment created");
    Ok(EnvironmentDetail { environment, latest_deployment: Some(deployment) })
}

/// Stores it under a host label that nobody has.
async fn insert(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    mut environment: Environment,
    project: &Slug,
) -> Result<Environment, ControlError> {
    let mut attempts = 1;
    while let Err(err) = uow.environments().insert(&environment).await {
        let branch = &environment.branch;
        if matches!(err, StoreError::Taken("host")) && attempts < HOST_ATTEMPTS {
            attempts += 1;
            environment.host = HostLabel::suffixed(branch, project, &suffix(control));
        } else if matches!(err, StoreError::Taken("branch")) {
            let message = format!("the branch `{branch}` has an environment already");
            return Err(ControlError::conflict("taken", message));
        } else {
            return Err(err.into());
        }
    }
    Ok(environment)
}
