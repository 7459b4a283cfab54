//! One attempt at a job.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use windlass_domain::{Environment, Job, JobKind, JobState, Lease, TransitionError};
use windlass_engine::EngineError;
use windlass_services::ServiceError;
use windlass_storage::{Signal, StoreError, UnitOfWork};

use crate::{
    Causes, Control, ControlError,
    route::RouteError,
    services::TendError,
    source_host::{AccessError, SourceHostError},
    telemetry,
    worker::{LoadError, deploy, destroy, lease_end, pause, report},
};

/// How long to wait before going on while the database is away.
const PAUSE: Duration = Duration::from_millis(500);
/// How long to try to write down how an attempt ended, while the server stops.
const LAST_WORD: Duration = Duration::from_secs(3);

/// One attempt at a job, under a lease.
pub(super) struct Attempt {
    pub(super) control: Control,
    pub(super) job: Job,
    pub(super) lease: Lease,
}

/// Why an attempt did not reach its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum AttemptError {
    /// Somebody else has the job now; there is nothing left to do or to write.
    #[error("another server has taken the job over")]
    Lost,
    /// No attempt lived long enough to write down how it ended.
    #[error("each attempt ended together with its server")]
    Exhausted,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A backing service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The host of a source failed.
    #[error(transparent)]
    Host(#[from] SourceHostError),
    /// A fault of ours.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A fault of ours.
    #[error(transparent)]
    Control(ControlError),
}

impl From<ControlError> for AttemptError {
    fn from(err: ControlError) -> Self {
        Self::Control(err)
    }
}

impl From<RouteError> for AttemptError {
    fn from(err: RouteError) -> Self {
        match err {
            RouteError::Store(err) => Self::Store(err),
            RouteError::Engine(err) => Self::Engine(err),
        }
    }
}

impl From<LoadError> for AttemptError {
    fn from(err: LoadError) -> Self {
        match err {
            // The project was deleted meanwhile, and with it everything that the job was for.
            LoadError::Gone => Self::Lost,
            LoadError::Control(err) => Self::Control(err),
            LoadError::Service(err) => Self::Service(err),
        }
    }
}

impl From<AccessError> for AttemptError {
    fn from(err: AccessError) -> Self {
        match err {
            AccessError::Store(err) => Self::Store(err),
            AccessError::Unavailable(text) => Self::Engine(EngineError::Unavailable(text)),
        }
    }
}

impl From<TendError> for AttemptError {
    fn from(err: TendError) -> Self {
        match err {
            TendError::Service(err) => Self::Service(err),
            TendError::Store(err) => Self::Store(err),
            TendError::Control(err) => Self::Control(err),
        }
    }
}

impl AttemptError {
    /// Whether the database was away, which is no fault of the job.
    fn is_passing(&self) -> bool {
        match self {
            Self::Store(err) => err.is_passing(),
            Self::Control(ControlError::Unavailable(_)) => true,
            Self::Lost
            | Self::Exhausted
            | Self::Engine(_)
            | Self::Service(_)
            | Self::Host(_)
            | Self::Transition(_)
            | Self::Control(_) => false,
        }
    }

    /// What its people are told: nothing of our insides.
    fn for_people(&self) -> String {
        match self {
            Self::Engine(EngineError::Refused(text) | EngineError::Unavailable(text)) => {
                text.clone()
            }
            Self::Engine(EngineError::Internal { .. }) => {
                "the engine failed; its operator finds the cause in the server's log".to_owned()
            }
            Self::Service(err) => service_failed(err),
            Self::Exhausted | Self::Host(_) => self.to_string(),
            Self::Lost | Self::Store(_) | Self::Transition(_) | Self::Control(_) => {
                "internal error; the operator finds the cause in the server's log".to_owned()
            }
        }
    }
}

/// What the people of a project are told of a backing service's failure.
fn service_failed(err: &ServiceError) -> String {
    match err {
        ServiceError::Missing { .. } | ServiceError::Refused(_) => err.to_string(),
        ServiceError::Unavailable { .. } => {
            "a backing service failed; the operator finds the cause in the server's log".to_owned()
        }
    }
}

/// A unit of work in which the job's environment is held and its lease is known to be good.
pub(super) struct Held {
    pub(super) uow: Box<dyn UnitOfWork>,
    pub(super) environment: Environment,
    pub(super) job: Job,
}

impl Attempt {
    pub(super) fn new(control: Control, job: Job) -> Self {
        let lease = Lease { job_id: job.id, fence: job.fence };
        Self { control, job, lease }
    }

    /// Works until the job has ended, is lost, or the server stops.
    pub(super) async fn run(self, stop: &CancellationToken) {
        let span = tracing::info_span!(
            "job",
            job.id = %self.job.id,
            job.kind = self.job.kind.name(),
            job.attempt = self.job.attempts,
            request_id = self.job.request_id,
        );
        self.run_in_span(stop).instrument(span).await;
    }

    async fn run_in_span(self, stop: &CancellationToken) {
        let outcome = tokio::select! {
            outcome = self.carry_out_patiently() => outcome,
            () = self.keep_lease() => Err(AttemptError::Lost),
            () = stop.cancelled() => {
                let released = tokio::time::timeout(LAST_WORD, self.release()).await;
                if !matches!(released, Ok(Ok(()))) {
                    tracing::warn!("the job could not be given back; its lease will expire");
                }
                return;
            }
        };
        let name = match &outcome {
            Ok(()) => "succeeded",
            Err(AttemptError::Lost) => "lost",
            Err(_) => "failed",
        };
        telemetry::job_attempt_ended(self.job.kind, name, self.job.attempts);
        match outcome {
            Ok(()) => tracing::debug!("job done"),
            Err(AttemptError::Lost) => tracing::warn!("another server has taken the job over"),
            Err(err) => {
                tracing::warn!(error = %Causes(&err), "the attempt failed");
                let written = tokio::select! {
                    written = self.write_failure(&err) => written,
                    () = stop.cancelled() => Err(AttemptError::Lost),
                };
                if let Err(err) = written {
                    tracing::warn!(error = %Causes(&err), "the job's lease will expire");
                }
            }
        }
    }

    /// Goes on where it stopped each time the database has been away.
    async fn carry_out_patiently(&self) -> Result<(), AttemptError> {
        loop {
            match self.carry_out().await {
                Err(err) if err.is_passing() => {
                    tracing::info!(error = %Causes(&err), "waiting for the database");
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn carry_out(&self) -> Result<(), AttemptError> {
        if self.job.max_attempts < self.job.attempts {
            return Err(AttemptError::Exhausted);
        }
        match self.job.kind {
            JobKind::Deploy { deployment_id } => deploy::carry_out(self, deployment_id).await?,
            JobKind::DestroyEnvironment { environment_id } => {
                destroy::carry_out(self, environment_id).await?;
            }
            JobKind::PauseEnvironment { environment_id } => {
                pause::carry_out(self, environment_id).await?;
            }
            JobKind::ReportDeployment { deployment_id } => {
                report::carry_out(self, deployment_id).await?;
            }
        }
        let now = self.control.fx().clock.now();
        let mut uow = self.control.store().write().await?;
        let job = self.leased(&mut *uow).await?;
        uow.jobs().update(&job.succeed(now)?).await?;
        uow.signal(Signal::Jobs);
        uow.commit().await?;
        Ok(())
    }

    /// Returns when the lease is lost.
    async fn keep_lease(&self) {
        let pause = self.control.settings().lease / 3;
        loop {
            tokio::time::sleep(pause).await;
            match self.extend_lease().await {
                Ok(()) => {}
                Err(AttemptError::Lost) => return,
                Err(err) => {
                    // Nobody else can lease it either while the database is away.
                    tracing::info!(error = %Causes(&err), "cannot extend the job's lease");
                }
            }
        }
    }

    async fn extend_lease(&self) -> Result<(), AttemptError> {
        let until = lease_end(&self.control, self.control.fx().clock.now());
        let mut uow = self.control.store().write().await?;
        let job = self.leased(&mut *uow).await?;
        uow.jobs().update(&job.extend(until)?).await?;
        uow.commit().await?;
        Ok(())
    }

    async fn release(&self) -> Result<(), AttemptError> {
        let mut uow = self.control.store().write().await?;
        let job = self.leased(&mut *uow).await?;
        uow.jobs().update(&job.release(self.control.fx().clock.now())?).await?;
        uow.commit().await?;
        Ok(())
    }

    async fn leased(&self, uow: &mut dyn UnitOfWork) -> Result<Job, AttemptError> {
        uow.jobs().find_leased_for_update(self.lease).await?.ok_or(AttemptError::Lost)
    }

    /// Opens a unit of work, holds the environment, and makes sure of the lease: in this order,
    /// which is everybody's.
    pub(super) async fn hold(&self) -> Result<Held, AttemptError> {
        let uow = self.control.store().write().await?;
        self.hold_in(uow).await
    }

    /// The same in a unit of work that has begun already.
    pub(super) async fn hold_in(&self, mut uow: Box<dyn UnitOfWork>) -> Result<Held, AttemptError> {
        let lane = self.job.lane.ok_or(AttemptError::Lost)?;
        let environment =
            uow.environments().find_for_update(self.job.organization_id, lane).await?;
        let environment = environment.ok_or(AttemptError::Lost)?;
        let job = self.leased(&mut *uow).await?;
        Ok(Held { uow, environment, job })
    }

    async fn write_failure(&self, err: &AttemptError) -> Result<(), AttemptError> {
        loop {
            match self.write_failure_once(err).await {
                Err(failed) if failed.is_passing() => tokio::time::sleep(PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    async fn write_failure_once(&self, err: &AttemptError) -> Result<(), AttemptError> {
        let reason = err.for_people();
        if self.job.lane.is_none() {
            return self.write_failure_of_errand(err, &reason).await;
        }
        let mut held = self.hold().await?;
        let job = held.job.fail(&reason, self.control.settings().job_backoff, self.control.fx())?;
        held.uow.jobs().update(&job).await?;
        if matches!(job.state, JobState::Dead { .. }) {
            self.bury(&mut *held.uow, held.environment, &reason).await?;
        }
        held.uow.signal(Signal::Jobs);
        held.uow.commit().await?;
        Ok(())
    }

    /// The same for a job without an environment, of which nothing else depends on it.
    async fn write_failure_of_errand(
        &self,
        err: &AttemptError,
        reason: &str,
    ) -> Result<(), AttemptError> {
        let mut uow = self.control.store().write().await?;
        let job = self.leased(&mut *uow).await?;
        let mut job = job.fail(reason, self.control.settings().job_backoff, self.control.fx())?;
        if let AttemptError::Host(SourceHostError::Unavailable { retry_at: Some(at), .. }) = err {
            job = job.not_before(*at);
        }
        if matches!(job.state, JobState::Dead { .. }) {
            tracing::error!(reason, "the job is given up");
        }
        uow.jobs().update(&job).await?;
        uow.signal(Signal::Jobs);
        uow.commit().await?;
        Ok(())
    }

    /// What the job was for ends with it, so that nothing seems to run for ever.
    async fn bury(
        &self,
        uow: &mut dyn UnitOfWork,
        environment: Environment,
        reason: &str,
    ) -> Result<(), AttemptError> {
        tracing::error!(reason, "the job is given up");
        match self.job.kind {
            JobKind::Deploy { deployment_id } => {
                deploy::bury(self, uow, environment, deployment_id, reason).await
            }
            // It stays `destroying` or `paused`: whoever asks again gets a new job, and what is
            // paused is stopped by the reconciler besides.
            JobKind::DestroyEnvironment { .. }
            | JobKind::PauseEnvironment { .. }
            | JobKind::ReportDeployment { .. } => Ok(()),
        }
    }
}
