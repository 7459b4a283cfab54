//! Tells the host of a source how a deployment stands.

use std::time::Duration;

use windlass_domain::{
    Deployment, DeploymentId, DeploymentState, Environment, EnvironmentState, PageRequest,
};
use windlass_storage::UnitOfWork;

use super::attempt::{Attempt, AttemptError};
use crate::source_host::{Hosted, Presence, Report, ReportedState, SourceHost, SourceHostError};

/// How often it is told again when the state has changed meanwhile.
const MOST_ROUNDS: usize = 10;

/// How long telling once may take.
const PATIENCE: Duration = Duration::from_mins(1);

fn too_slow() -> SourceHostError {
    let message = "the host of the source takes too long".to_owned();
    SourceHostError::Unavailable { message, retry_at: None }
}

/// Tells how a deployment stands now, until nothing has changed meanwhile: then the last word is
/// the right one, also where two attempts crossed.
pub(super) async fn carry_out(attempt: &Attempt, id: DeploymentId) -> Result<(), AttemptError> {
    let mut told = None;
    for _ in 0..MOST_ROUNDS {
        let mut uow = attempt.control.store().read().await?;
        let Some((host, report)) = prepare(attempt, &mut *uow, id).await? else { return Ok(()) };
        drop(uow);
        if told.as_ref() == Some(&report) {
            return Ok(());
        }
        let reported = tokio::time::timeout(PATIENCE, host.report(&report)).await;
        match reported.unwrap_or_else(|_| Err(too_slow())) {
            Ok(()) => {}
            Err(err @ SourceHostError::Unavailable { .. }) => return Err(err.into()),
            // Nobody waits for it, and asking again would not help.
            Err(err @ (SourceHostError::Refused(_) | SourceHostError::Misconfigured(_))) => {
                tracing::warn!(deployment.id = %id, error = %err, "cannot report a deployment");
                return Ok(());
            }
        }
        told = Some(report);
    }
    Ok(())
}

/// What there is to tell, if there is anything, and to whom.
async fn prepare<'a>(
    attempt: &'a Attempt,
    uow: &mut dyn UnitOfWork,
    id: DeploymentId,
) -> Result<Option<(&'a dyn SourceHost, Report)>, AttemptError> {
    let organization = attempt.job.organization_id;
    let Some(deployment) = uow.deployments().find(organization, id).await? else {
        return Ok(None);
    };
    let environment = uow.environments().find(organization, deployment.environment_id).await?;
    let project = uow.projects().find(organization, deployment.project_id).await?;
    let (Some(environment), Some(project)) = (environment, project) else { return Ok(None) };
    let Hosted::Ours(host, repository) = attempt.control.hosted(uow, &project).await? else {
        return Ok(None);
    };
    // Before it is built it may become another one.
    let Some(commit) = deployment.commit.clone() else { return Ok(None) };
    let Some(state) = state_of(&deployment) else { return Ok(None) };
    let newest = PageRequest::new(None, Some(20)).unwrap_or_default();
    let newest = uow.deployments().list(organization, environment.id, newest).await?.items;
    let is_last = |others: &[Deployment]| others.iter().all(|other| other.id <= id);
    let of_commit: Vec<Deployment> = newest
        .iter()
        .filter(|other| other.commit == deployment.commit && other.state != DeploymentState::Queued)
        .cloned()
        .collect();
    let report = Report {
        deployment: id,
        environment: environment.id,
        host: environment.host.clone(),
        repository,
        branch: environment.branch.clone(),
        commit,
        kind: environment.kind,
        presence: presence_of(&environment),
        marks_commit: is_last(&of_commit),
        is_newest: is_last(&newest),
        reason: reason_of(&deployment),
        state,
        updated_at: if presence_of(&environment) == Presence::Gone {
            environment.updated_at
        } else {
            deployment.updated_at
        },
    };
    Ok(Some((host, report)))
}

/// Nothing for what waits: that has not begun.
fn state_of(deployment: &Deployment) -> Option<ReportedState> {
    match deployment.state {
        DeploymentState::Queued => None,
        DeploymentState::Building => Some(ReportedState::Building),
        DeploymentState::Deploying => Some(ReportedState::Starting),
        DeploymentState::Live { .. } => Some(ReportedState::Live),
        DeploymentState::Superseded { .. } => Some(ReportedState::Replaced),
        DeploymentState::Failed { .. } => Some(ReportedState::Failed),
        DeploymentState::Cancelled { .. } => Some(ReportedState::Cancelled),
    }
}

fn presence_of(environment: &Environment) -> Presence {
    match (&environment.state, environment.live_deployment) {
        (EnvironmentState::Destroyed { .. }, _) => Presence::Gone,
        (_, Some(_)) => Presence::App,
        (_, None) => Presence::Nothing,
    }
}

fn reason_of(deployment: &Deployment) -> Option<String> {
    match &deployment.state {
        DeploymentState::Failed { reason, .. } | DeploymentState::Cancelled { reason, .. } => {
            Some(reason.clone())
        }
        DeploymentState::Queued
        | DeploymentState::Building
        | DeploymentState::Deploying
        | DeploymentState::Live { .. }
        | DeploymentState::Superseded { .. } => None,
    }
}
