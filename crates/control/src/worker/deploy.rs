//! Brings a deployment to its end, from wherever it stands.
//!
//! Each step reads the state, does its work outside of any transaction, and writes the next state
//! in one unit of work that makes sure of the lease. Killed anywhere, the next attempt goes on
//! from the state that it finds.

use windlass_domain::{
    Amounts, BuildResult, BuildState, CommitId, Deployment, DeploymentId, DeploymentState,
    Environment, LogId, Project, Resources,
};
use windlass_engine::{EngineError, SourceAt};
use windlass_manifest::{FILE_NAMES, MAX_BYTES, Manifest};
use windlass_services::ServiceError;
use windlass_storage::{Signal, StoredManifest, UnitOfWork};

use super::{
    attempt::{Attempt, AttemptError, Held},
    build, hooks, load,
    load::LoadError,
    start,
};
use crate::{ControlError, deployment, quota, source_host::Access};

/// Brings a deployment to its end.
pub(super) async fn carry_out(attempt: &Attempt, id: DeploymentId) -> Result<(), AttemptError> {
    loop {
        let loaded = load::load(&attempt.control, attempt.job.organization_id, id).await;
        let loaded = match loaded {
            Ok(loaded) => loaded,
            // Its project was deleted, and with it everything that it was for.
            Err(LoadError::Gone) => return Ok(()),
            Err(err @ (LoadError::Control(_) | LoadError::Service(_))) => return Err(err.into()),
        };
        match (&loaded.deployment.state, loaded.deployment.trigger) {
            (DeploymentState::Queued, trigger) if trigger.builds() => {
                begin_building(attempt, loaded).await?;
            }
            (DeploymentState::Queued, _) => skip_building(attempt, loaded).await?,
            (DeploymentState::Building, _) => build::carry_out(attempt, loaded).await?,
            (DeploymentState::Deploying, _) => start::carry_out(attempt, loaded).await?,
            (DeploymentState::Live { .. }, _) => return start::settle(attempt, id).await,
            (DeploymentState::Superseded { .. }, _) => return Ok(()),
            (DeploymentState::Failed { .. } | DeploymentState::Cancelled { .. }, _) => {
                return clean_up(attempt, loaded).await;
            }
        }
    }
}

async fn skip_building(attempt: &Attempt, loaded: load::Loaded) -> Result<(), AttemptError> {
    let now = attempt.control.fx().clock.now();
    let mut held = attempt.hold().await?;
    let deployment = find_for_update(attempt, &mut *held.uow, loaded.deployment.id).await?;
    if deployment.state != DeploymentState::Queued {
        return Ok(());
    }
    let resources = loaded.manifest.app.resources;
    match allot(attempt, &mut held, &loaded.project, resources, Amounts::default()).await {
        Err(ControlError::Refused { message, .. }) => {
            let Held { ref mut uow, environment, .. } = held;
            fail_deployment(attempt, &mut **uow, environment, deployment, &message).await?;
            held.uow.commit().await?;
            return Ok(());
        }
        allotted => allotted?,
    }
    deployment::update(&attempt.control, &mut *held.uow, &deployment.start_deploying(now)?).await?;
    held.uow.commit().await?;
    Ok(())
}

/// Gives an environment what its app may use as the repository says, in place of what it had; with
/// that, so much `more` is taken.
async fn allot(
    attempt: &Attempt,
    held: &mut Held,
    project: &Project,
    resources: Resources,
    more: Amounts,
) -> Result<(), ControlError> {
    let control = &attempt.control;
    let environment = held.environment.clone();
    let one = |own: Resources| quota::environments(control, own.or(project.settings.resources), 1);
    let growth = quota::growth(&one(environment.resources), &one(resources));
    let more = Amounts { build_millis: more.build_millis, ..growth };
    quota::take(control, &mut *held.uow, environment.organization_id, more).await?;
    if environment.resources != resources {
        held.environment = environment.allot(resources, control.fx().clock.now())?;
        held.uow.environments().update(&held.environment).await?;
    }
    Ok(())
}

/// What the repository says about itself in a commit, as it stands there and as it is read; or why
/// it cannot be read, for the people of the project.
async fn read_manifest(
    attempt: &Attempt,
    loaded: &load::Loaded,
    commit: &CommitId,
    access: &Access,
) -> Result<Result<(Option<StoredManifest>, Manifest), String>, AttemptError> {
    let (source, branch) = (&loaded.project.git_url, &loaded.environment.branch);
    let at = SourceAt { source, branch, commit, credential: access.credential.as_ref() };
    let found = attempt.control.engine().read_first(at, &FILE_NAMES, MAX_BYTES).await;
    let file = match found {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(Ok((None, Manifest::default()))),
        Err(EngineError::Refused(reason)) => return Ok(Err(access.explain(reason))),
        Err(err) => return Err(err.into()),
    };
    let manifest = match windlass_manifest::parse(&file.name, &file.bytes) {
        Ok(manifest) => manifest,
        Err(problems) => return Ok(Err(problems.to_string())),
    };
    // It could be read, so it is text.
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    Ok(Ok((Some(StoredManifest { file: file.name, text }), manifest)))
}

/// Looks up which commit is to be built, and begins.
async fn begin_building(attempt: &Attempt, loaded: load::Loaded) -> Result<(), AttemptError> {
    let control = &attempt.control;
    let (source, branch) = (&loaded.project.git_url, &loaded.environment.branch);
    let access = control.source_access(&loaded.project).await?;
    let credential = access.credential.as_ref();
    let commit = match control.engine().resolve(source, branch, credential).await {
        Ok(commit) => commit,
        Err(EngineError::Refused(reason)) => {
            let reason = access.explain(reason);
            return fail(attempt, loaded.deployment.id, BuildResult::ClientError, &reason).await;
        }
        Err(err) => return Err(err.into()),
    };
    let (stored, manifest) = match read_manifest(attempt, &loaded, &commit, &access).await? {
        Ok(read) => read,
        Err(reason) => {
            return fail(attempt, loaded.deployment.id, BuildResult::ClientError, &reason).await;
        }
    };
    // A build in vain would have been paid for.
    let wanted = manifest.over(&loaded.project.settings).services;
    match control.check_services(wanted).await {
        Err(err @ (ServiceError::Missing { .. } | ServiceError::Refused(_))) => {
            let reason = err.to_string();
            return fail(attempt, loaded.deployment.id, BuildResult::ClientError, &reason).await;
        }
        checked => checked?,
    }

    let now = control.fx().clock.now();
    let mut held = attempt.hold().await?;
    let deployment = find_for_update(attempt, &mut *held.uow, loaded.deployment.id).await?;
    if deployment.state != DeploymentState::Queued {
        // It was called off meanwhile.
        return Ok(());
    }
    let organization = attempt.job.organization_id;
    let resources = manifest.app.resources;
    match allot(attempt, &mut held, &loaded.project, resources, quota::A_BUILD).await {
        // It was asked for while there was time left.
        Err(ControlError::Refused { message, .. }) => {
            let Held { ref mut uow, environment, .. } = held;
            let result = BuildResult::Cancelled;
            write_failure(attempt, &mut **uow, environment, deployment.id, result, &message)
                .await?;
            held.uow.commit().await?;
            return Ok(());
        }
        taken => taken?,
    }
    let build = held.uow.builds().find_for_update(organization, deployment.build_id).await?;
    let build = build.ok_or(AttemptError::Lost)?;
    let text = format!("Building commit {commit} of {branch}");
    control.say(&mut *held.uow, LogId::Build(build.id), &text).await?;
    if let Some(stored) = stored {
        let text = format!("{} says how", stored.file);
        control.say(&mut *held.uow, LogId::Build(build.id), &text).await?;
        held.uow.builds().insert_manifest(organization, build.id, &stored).await?;
    }
    held.uow.builds().update(&build.start(commit.clone(), now)?).await?;
    deployment::update(&attempt.control, &mut *held.uow, &deployment.start_building(commit, now)?)
        .await?;
    held.uow.commit().await?;
    Ok(())
}

/// Ends a deployment that cannot become live, with its build where that has not ended.
pub(super) async fn fail(
    attempt: &Attempt,
    id: DeploymentId,
    result: BuildResult,
    reason: &str,
) -> Result<(), AttemptError> {
    let mut held = attempt.hold().await?;
    write_failure(attempt, &mut *held.uow, held.environment, id, result, reason).await?;
    held.uow.commit().await?;
    Ok(())
}

/// Ends a deployment whose job was given up.
pub(super) async fn bury(
    attempt: &Attempt,
    uow: &mut dyn UnitOfWork,
    environment: Environment,
    id: DeploymentId,
    reason: &str,
) -> Result<(), AttemptError> {
    write_failure(attempt, uow, environment, id, BuildResult::InternalError, reason).await
}

async fn write_failure(
    attempt: &Attempt,
    uow: &mut dyn UnitOfWork,
    environment: Environment,
    id: DeploymentId,
    result: BuildResult,
    reason: &str,
) -> Result<(), AttemptError> {
    let deployment = find_for_update(attempt, uow, id).await?;
    // One that was called off may have left a build that nobody has ended.
    build::end_without_report(attempt, uow, deployment.build_id, result, reason).await?;
    if deployment.state.is_settled() {
        return Ok(());
    }
    fail_deployment(attempt, uow, environment, deployment, reason).await
}

/// Marks a deployment as failed, and its environment where nothing else answers in it.
pub(super) async fn fail_deployment(
    attempt: &Attempt,
    uow: &mut dyn UnitOfWork,
    environment: Environment,
    deployment: Deployment,
    reason: &str,
) -> Result<(), AttemptError> {
    let now = attempt.control.fx().clock.now();
    let deployment = deployment.fail(reason, now)?;
    deployment::update(&attempt.control, uow, &deployment).await?;
    if environment.check_deployable().is_ok() {
        uow.environments().update(&environment.deployment_failed(reason, now)?).await?;
        uow.signal(Signal::Environment(deployment.environment_id));
    }
    tracing::info!(deployment.id = %deployment.id, reason, "deployment failed");
    Ok(())
}

/// Ends what a deployment that was called off or has failed may have left behind.
async fn clean_up(attempt: &Attempt, loaded: load::Loaded) -> Result<(), AttemptError> {
    let deployment = loaded.deployment.clone();
    if deployment.trigger.builds() {
        let mut uow = attempt.control.store().read().await?;
        let build = uow.builds().find(attempt.job.organization_id, deployment.build_id).await?;
        drop(uow);
        match build.map(|build| build.state) {
            Some(BuildState::Running { .. }) => build::carry_out(attempt, loaded).await?,
            Some(BuildState::Pending) => {
                let mut held = attempt.hold().await?;
                let (id, reason) = (deployment.build_id, "cancelled before it began");
                let result = BuildResult::Cancelled;
                build::end_without_report(attempt, &mut *held.uow, id, result, reason).await?;
                held.uow.commit().await?;
            }
            Some(BuildState::Ended(_)) | None => {}
        }
    }
    let grace = attempt.control.settings().stop_grace;
    attempt.control.engine().stop(deployment.id, grace).await?;
    hooks::forget(&attempt.control, deployment.id).await;
    Ok(())
}

pub(super) async fn find_for_update(
    attempt: &Attempt,
    uow: &mut dyn UnitOfWork,
    id: DeploymentId,
) -> Result<Deployment, AttemptError> {
    let found = uow.deployments().find_for_update(attempt.job.organization_id, id).await?;
    found.ok_or(AttemptError::Lost)
}
