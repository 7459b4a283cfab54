//! Creates an environment and deploys its branch.

use windlass_auth::Permission;
use windlass_domain::{
    Amounts, BranchName, CommitId, Deployment, Environment, EnvironmentKind, HostLabel,
    NewEnvironment, Project, ProjectId, ProjectState, Slug, TransitionError, Trigger,
};
use windlass_storage::{Signal, StoreError, UnitOfWork};

use crate::{
    Caller, Control, ControlError, EnvironmentDetail,
    caller::Initiator,
    deployment,
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
    let wanted = Wanted {
        branch,
        kind: EnvironmentKind::Persistent,
        trigger: Trigger::Created,
        commit: None,
    };
    let (environment, deployment) =
        found(control, &caller.initiator(), &mut *uow, &project, wanted).await?;
    control.write_down(&mut *uow, caller.did(grant, environment.id)).await?;
    uow.commit().await?;
    Ok(EnvironmentDetail { environment, latest_deployment: Some(deployment) })
}

/// An environment to be, and why it is deployed.
pub(crate) struct Wanted {
    pub(crate) branch: BranchName,
    pub(crate) kind: EnvironmentKind,
    pub(crate) trigger: Trigger,
    /// What somebody told of, if they did.
    pub(crate) commit: Option<CommitId>,
}

/// Makes an environment and deploys its branch's latest commit. The caller holds the project's row.
pub(crate) async fn found(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    project: &Project,
    wanted: Wanted,
) -> Result<(Environment, Deployment), ControlError> {
    let Wanted { branch, kind, trigger, commit } = wanted;
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
            kind,
            host,
        },
        control.fx(),
    );
    let one = quota::environments(control, project.settings.resources, 1);
    let one = Amounts { build_millis: quota::A_BUILD.build_millis, ..one };
    quota::take(control, uow, project.organization_id, one).await?;
    let environment = insert(control, uow, environment, &project.slug).await?;
    let deployment =
        deployment::request(control, initiator, uow, &environment, trigger, commit).await?;
    uow.signal(Signal::Environment(environment.id));
    tracing::info!(environment.id = %environment.id, host = %environment.host, "environment created");
    Ok((environment, deployment))
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
