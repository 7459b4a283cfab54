//! Durable work: what has to be done, by whom it is being done, and how often it was tried.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{DeploymentId, Effects, EnvironmentId, Id, IdKind, OrganizationId, TransitionError};

/// One piece of work that survives every crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Identifier.
    pub id: JobId,
    /// The tenant it works for; slots are counted by it.
    pub organization_id: OrganizationId,
    /// Jobs of the same environment run one after another.
    pub lane: Option<EnvironmentId>,
    /// What is to be done.
    pub kind: JobKind,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be begun before it is given up.
    pub max_attempts: u32,
    /// Grows with each lease: whoever holds an older number has lost the job.
    pub fence: u64,
    /// Where it is.
    pub state: JobState,
    /// The request that caused it, for logs.
    pub request_id: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
}

/// Identifier of a [`Job`].
pub type JobId = Id<Job>;

impl IdKind for Job {
    const PREFIX: &'static str = "job";
}

/// What is to be done. Stored as JSON: variants may be added, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Bring a deployment to its end: live, failed or cancelled.
    Deploy {
        /// Which.
        deployment_id: DeploymentId,
    },
    /// Take an environment down.
    DestroyEnvironment {
        /// Which.
        environment_id: EnvironmentId,
    },
    /// Stop the apps of a paused environment.
    PauseEnvironment {
        /// Which.
        environment_id: EnvironmentId,
    },
    /// Tell the host of its source how a deployment stands.
    ReportDeployment {
        /// Which.
        deployment_id: DeploymentId,
    },
}

impl JobKind {
    /// The kind's name, for metrics and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deploy { .. } => "deploy",
            Self::DestroyEnvironment { .. } => "destroy_environment",
            Self::PauseEnvironment { .. } => "pause_environment",
            Self::ReportDeployment { .. } => "report_deployment",
        }
    }
}

/// The life of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Waits, at least until `run_at`.
    Queued {
        /// Not before.
        run_at: DateTime<Utc>,
        /// Why the last attempt failed, if there was one.
        last_error: Option<String>,
    },
    /// A worker has it.
    Leased {
        /// Who.
        worker: WorkerId,
        /// When anybody else may take it.
        until: DateTime<Utc>,
    },
    /// Done.
    Succeeded {
        /// When.
        at: DateTime<Utc>,
    },
    /// Given up after its last attempt; kept for people to look at.
    Dead {
        /// When.
        at: DateTime<Utc>,
        /// Why the last attempt failed.
        reason: String,
    },
    /// Called off while it waited.
    Cancelled {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
}

/// Names one running server among those that share a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkerId(String);

impl WorkerId {
    /// Any text that no other server uses.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The right to work on a job, as long as nobody has a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job_id: JobId,
    /// The job's fencing number at the time.
    pub fence: u64,
}

/// How long to wait before another attempt: exponential, capped, with jitter so that jobs which
/// failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait before the second attempt.
    pub first: TimeDelta,
    /// The longest wait at all.
    pub most: TimeDelta,
}

/// What is needed to enqueue a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Its lane.
    pub lane: Option<EnvironmentId>,
    /// What is to be done.
    pub kind: JobKind,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// The request that caused it.
    pub request_id: Option<String>,
}

impl Backoff {
    /// The wait after `attempts` attempts: between half and all of `first · 2^(attempts-1)`.
    #[must_use]
    pub fn after(&self, attempts: u32, fx: Effects<'_>) -> TimeDelta {
        let doublings = attempts.saturating_sub(1).min(20);
        let full = self.first.num_milliseconds().saturating_mul(1 << doublings);
        let full = full.clamp(1, self.most.num_milliseconds().max(1));
        let mut random = [0; 4];
        fx.entropy.fill(&mut random);
        let jitter = i64::from(u32::from_be_bytes(random)) % (full / 2 + 1);
        TimeDelta::milliseconds(full - jitter)
    }
}

impl JobState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Leased { .. } => "leased",
            Self::Succeeded { .. } => "succeeded",
            Self::Dead { .. } => "dead",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Queued { .. } | Self::Leased { .. } => false,
            Self::Succeeded { .. } | Self::Dead { .. } | Self::Cancelled { .. } => true,
        }
    }
}

impl Job {
    /// Makes a job; the caller stores it in the transaction that creates its cause.
    #[must_use]
    pub fn enqueue(new: NewJob, fx: Effects<'_>) -> Self {
        let NewJob { organization_id, lane, kind, max_attempts, request_id } = new;
        let now = fx.clock.now();
        Self {
            id: JobId::generate(fx),
            organization_id,
            lane,
            kind,
            attempts: 0,
            max_attempts: max_attempts.max(1),
            fence: 0,
            state: JobState::Queued { run_at: now, last_error: None },
            request_id,
            created_at: now,
        }
    }

    /// A worker takes it: when it is due, or when the worker that had it fell silent.
    pub fn lease(
        self,
        worker: WorkerId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        let is_free = match &self.state {
            JobState::Queued { run_at, .. } => *run_at <= now,
            JobState::Leased { until, .. } => *until <= now,
            JobState::Succeeded { .. } | JobState::Dead { .. } | JobState::Cancelled { .. } => {
                false
            }
        };
        if !is_free {
            return Err(self.refuse("lease"));
        }
        Ok(Self {
            attempts: self.attempts + 1,
            fence: self.fence + 1,
            state: JobState::Leased { worker, until },
            ..self
        })
    }

    /// Its worker is alive.
    pub fn extend(self, until: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            JobState::Leased { worker, .. } => {
                Ok(Self { state: JobState::Leased { worker, until }, ..self })
            }
            JobState::Queued { .. }
            | JobState::Succeeded { .. }
            | JobState::Dead { .. }
            | JobState::Cancelled { .. } => Err(self.refuse("extend the lease of")),
        }
    }

    /// Its worker gives it back without having failed, because the server stops.
    pub fn release(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        if matches!(self.state, JobState::Leased { .. }) {
            Ok(Self {
                attempts: self.attempts.saturating_sub(1),
                state: JobState::Queued { run_at: now, last_error: None },
                ..self
            })
        } else {
            Err(self.refuse("release"))
        }
    }

    /// Its worker is done.
    pub fn succeed(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        if matches!(self.state, JobState::Leased { .. }) {
            Ok(Self { state: JobState::Succeeded { at: now }, ..self })
        } else {
            Err(self.refuse("finish"))
        }
    }

    /// An attempt failed: it waits for the next, or it was the last.
    pub fn fail(
        self,
        reason: &str,
        backoff: Backoff,
        fx: Effects<'_>,
    ) -> Result<Self, TransitionError> {
        let now = fx.clock.now();
        match self.state {
            JobState::Leased { .. } if self.attempts < self.max_attempts => {
                let run_at = now + backoff.after(self.attempts, fx);
                let last_error = Some(reason.to_owned());
                Ok(Self { state: JobState::Queued { run_at, last_error }, ..self })
            }
            JobState::Leased { .. } => {
                Ok(Self { state: JobState::Dead { at: now, reason: reason.to_owned() }, ..self })
            }
            JobState::Queued { .. }
            | JobState::Succeeded { .. }
            | JobState::Dead { .. }
            | JobState::Cancelled { .. } => Err(self.refuse("fail")),
        }
    }

    /// The same where it is to wait at least until then, if it waits for another attempt.
    #[must_use]
    pub fn not_before(self, earliest: DateTime<Utc>) -> Self {
        match self.state {
            JobState::Queued { run_at, last_error } => {
                let run_at = run_at.max(earliest);
                Self { state: JobState::Queued { run_at, last_error }, ..self }
            }
            JobState::Leased { .. }
            | JobState::Succeeded { .. }
            | JobState::Dead { .. }
            | JobState::Cancelled { .. } => self,
        }
    }

    /// Calls it off while it waits.
    pub fn cancel(self, reason: &str, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        if matches!(self.state, JobState::Queued { .. }) {
            Ok(Self { state: JobState::Cancelled { at: now, reason: reason.to_owned() }, ..self })
        } else {
            Err(self.refuse("cancel"))
        }
    }

    fn refuse(&self, wanted: &'static str) -> TransitionError {
        TransitionError { wanted, entity: "job", state: self.state.name() }
    }
}
