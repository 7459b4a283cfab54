//! Ends what is on its way in an environment.

use windlass_domain::{DeploymentState, Environment, Job, JobKind, JobState, NewJob};
use windlass_storage::{Signal, UnitOfWork};

use crate::{Control, ControlError, caller::Initiator, deployment, environment::supersede_queued};

/// Calls off an environment's deployments that are not live. The caller holds its row.
pub(crate) async fn call_off(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
    reason: &str,
) -> Result<(), ControlError> {
    let (organization, id) = (environment.organization_id, environment.id);
    supersede_queued(control, uow, environment, None, reason).await?;
    let unfinished = uow.deployments().list_unfinished_for_update(organization, id).await?;
    for running in unfinished {
        if !matches!(running.state, DeploymentState::Live { .. }) {
            // Its job is at work, sees this and ends what it has begun.
            let cancelled = running.cancel(reason, control.fx().clock.now())?;
            deployment::update(control, uow, &cancelled).await?;
        }
    }
    Ok(())
}

/// Enqueues a job on an environment, unless one of this kind waits already. One that is at work may
/// have looked at what was before, and one that was given up does nothing more. The caller holds
/// the environment's row.
pub(crate) async fn enqueue_once(
    control: &Control,
    initiator: &Initiator,
    uow: &mut dyn UnitOfWork,
    environment: &Environment,
    kind: JobKind,
) -> Result<(), ControlError> {
    let jobs = uow.jobs().list_unfinished_for_update(environment.id).await?;
    let waits = |job: &Job| matches!(job.state, JobState::Queued { .. });
    if jobs.iter().any(|job| job.kind == kind && waits(job)) {
        return Ok(());
    }
    let job = Job::enqueue(
        NewJob {
            organization_id: environment.organization_id,
            lane: Some(environment.id),
            kind,
            max_attempts: control.settings().job_attempts,
            request_id: initiator.request_id.clone(),
        },
        control.fx(),
    );
    uow.jobs().insert(&job).await?;
    uow.signal(Signal::Jobs);
    Ok(())
}
