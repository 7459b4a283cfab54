//! Takes an environment down.

use windlass_domain::{
    DeploymentId, DeploymentState, EnvironmentId, EnvironmentState, LogId, PageRequest, Project,
    ProjectState,
};
use windlass_storage::Signal;

use super::{
    attempt::{Attempt, AttemptError},
    stop::end,
};
use crate::{deployment, project::finish_if_empty, webhook::bring_back};

/// Stops an environment's apps and ends it; with it its project, where that waits for the last.
pub(super) async fn carry_out(attempt: &Attempt, id: EnvironmentId) -> Result<(), AttemptError> {
    let control = &attempt.control;
    // A host without an app answers at once that there is none.
    control.inner.routes.refresh().await?;
    let observed = control.engine().observe().await?;
    let apps = observed.iter().filter(|app| app.environment == id);
    let apps: Vec<DeploymentId> = apps.map(|app| app.deployment).collect();
    for app in &apps {
        end(attempt, *app).await?;
    }
    let mut uow = control.store().read().await?;
    let found = uow.environments().find(attempt.job.organization_id, id).await?;
    drop(uow);
    if let Some(environment) =
        found.filter(|environment| environment.state == EnvironmentState::Destroying)
    {
        control.remove_services(&environment).await?;
    }
    write_end(attempt, id).await?;
    control.inner.routes.refresh().await?;
    Ok(())
}

async fn write_end(attempt: &Attempt, id: EnvironmentId) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let organization = attempt.job.organization_id;
    let now = control.fx().clock.now();
    let mut uow = control.store().write().await?;
    // Whoever holds a project and one of its environments holds the project first.
    let found = uow.environments().find(organization, id).await?;
    let Some(found) = found else { return Ok(()) };
    let project = uow.projects().find_for_update(organization, found.project_id).await?;
    let mut held = attempt.hold_in(uow).await?;
    if held.environment.state != EnvironmentState::Destroying {
        return Ok(());
    }
    let left = held.uow.deployments().list_unfinished_for_update(organization, id).await?;
    // It may have none that is changed here.
    let newest = PageRequest::new(None, Some(1)).unwrap_or_default();
    let newest = held.uow.deployments().list(organization, id, newest).await?.items;
    for newest in &newest {
        control.enqueue_report(&mut *held.uow, newest).await?;
    }
    for left in left {
        let left = match left.state {
            DeploymentState::Live { .. } => left.supersede(now)?,
            DeploymentState::Queued
            | DeploymentState::Building
            | DeploymentState::Deploying
            | DeploymentState::Superseded { .. }
            | DeploymentState::Failed { .. }
            | DeploymentState::Cancelled { .. } => {
                left.cancel("the environment was destroyed", now)?
            }
        };
        deployment::update(control, &mut *held.uow, &left).await?;
    }
    held.uow.environments().update(&held.environment.finish_destroying(now)?).await?;
    held.uow.env_vars().delete_of_environment(organization, found.project_id, id).await?;
    held.uow.logs().end(LogId::App(id)).await?;
    held.uow.signal(Signal::Log(LogId::App(id)));
    held.uow.signal(Signal::Environment(id));
    match project {
        Some(project @ Project { state: ProjectState::Deleting { .. }, .. }) => {
            finish_if_empty(control, &mut *held.uow, project).await?;
        }
        Some(project @ Project { state: ProjectState::Active, .. }) => {
            let (branch, request_id) = (&found.branch, attempt.job.request_id.clone());
            bring_back(control, &mut *held.uow, &project, branch, request_id).await?;
        }
        Some(Project { state: ProjectState::Deleted { .. }, .. }) | None => {}
    }
    held.uow.commit().await?;
    tracing::info!(environment.id = %id, "environment destroyed");
    Ok(())
}
