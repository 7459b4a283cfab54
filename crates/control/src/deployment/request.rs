//! Asks for a deployment: the row, its build and its job, in one unit of work.

use windlass_domain::{
    Build, CommitId, Deployment, DeploymentKind, Environment, Job, JobKind, NewBuild,
    NewDeployment, NewJob, Trigger,
};
use windlass_storage::{Signal, UnitOfWork};

use crate::{Control, ControlError, caller::Initiator};

/// Asks for a deployment of a branch's latest commit with a build of its own. The commit is the
/// one that somebody told of, for people; the latest may be newer by then. The caller holds the
/// environment's row, and has seen that the quota allows a build.
pub(crate) async fn request(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
    trigger: Trigger,
    commit: Option<CommitId>,
) -> Result<Deployment, ControlError> {
    let organization_id = environment.organization_id;
    let build = Build::request(
        NewBuild {
            organization_id,
            project_id: environment.project_id,
            environment_id: environment.id,
            number: uow.organizations().next_build_number(organization_id).await?,
            restart_of: None,
        },
        control.fx(),
    );
    uow.builds().insert(&build).await?;
    let deployment = Deployment::request(
        NewDeployment {
            organization_id,
            project_id: environment.project_id,
            environment_id: environment.id,
            kind: kind_of(environment),
            trigger,
            requested_by: initiator.label.clone(),
            commit,
            build_id: build.id,
        },
        control.fx(),
    );
    enqueue(control, initiator, uow, &deployment).await?;
    Ok(deployment)
}

/// Stores a deployment together with the job that carries it out.
pub(crate) async fn enqueue(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    deployment: &Deployment,
) -> Result<(), ControlError> {
    uow.deployments().insert(deployment).await?;
    let job = Job::enqueue(
        NewJob {
            organization_id: deployment.organization_id,
            lane: Some(deployment.environment_id),
            kind: JobKind::Deploy { deployment_id: deployment.id },
            max_attempts: control.settings().job_attempts,
            request_id: initiator.request_id.clone(),
        },
        control.fx(),
    );
    uow.jobs().insert(&job).await?;
    uow.signal(Signal::Jobs);
    uow.signal(Signal::Deployment(deployment.id));
    tracing::info!(
        deployment.id = %deployment.id,
        environment.id = %deployment.environment_id,
        "deployment queued",
    );
    Ok(())
}

/// The environment itself begins with the first deployment that becomes live.
pub(crate) fn kind_of(environment: &Environment) -> DeploymentKind {
    if environment.was_live { DeploymentKind::Incremental } else { DeploymentKind::BrandNew }
}
