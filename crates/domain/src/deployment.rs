//! Deployments: one push on its way to being live.

use chrono::{DateTime, Utc};

use crate::{
    BuildId, CommitId, Effects, EnvironmentId, Id, IdKind, OrganizationId, ProjectId,
    TransitionError,
};

/// One commit of an environment's branch, from the wish to run it to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Identifier.
    pub id: DeploymentId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The environment it is for.
    pub environment_id: EnvironmentId,
    /// Whether anything had been live in the environment when it was asked for.
    pub kind: DeploymentKind,
    /// Why it exists.
    pub trigger: Trigger,
    /// Who asked for it: a label of the caller, for people.
    pub requested_by: String,
    /// The commit it runs; unknown until the branch has been looked up, unless a push told it.
    pub commit: Option<CommitId>,
    /// The build that it runs.
    pub build_id: BuildId,
    /// Where it is on its way.
    pub state: DeploymentState,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Identifier of a [`Deployment`].
pub type DeploymentId = Id<Deployment>;

impl IdKind for Deployment {
    const PREFIX: &'static str = "dep";
}

/// Whether anything had been live in the environment when a deployment was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentKind {
    /// Nothing: the environment itself begins with it.
    BrandNew,
    /// Something: only the app is replaced.
    Incremental,
}

/// Why a deployment exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Its environment was created.
    Created,
    /// Somebody asked for the branch's latest commit.
    Rebuild,
    /// Somebody pushed to the branch.
    Push,
    /// Somebody asked for an earlier deployment's build again.
    Rollback {
        /// The earlier deployment.
        to: DeploymentId,
    },
    /// Its environment is reset: what ran in it last is started again, as in a new one.
    Reset,
}

/// The life of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentState {
    /// Waits for a worker.
    Queued,
    /// Its build runs.
    Building,
    /// Its app starts and is waited for.
    Deploying,
    /// Its app answers.
    Live {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It was live until a later one took over.
    Superseded {
        /// Since when.
        at: DateTime<Utc>,
    },
    /// It did not become live, or its app kept crashing.
    Failed {
        /// Since when.
        at: DateTime<Utc>,
        /// Why, for people.
        reason: String,
    },
    /// It was called off before it was live.
    Cancelled {
        /// Since when.
        at: DateTime<Utc>,
        /// Why, for people.
        reason: String,
    },
}

/// What is needed to ask for a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeployment {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Whether anything has been live in the environment.
    pub kind: DeploymentKind,
    /// Why it exists.
    pub trigger: Trigger,
    /// Who asks, for people.
    pub requested_by: String,
    /// The commit, where it is known already.
    pub commit: Option<CommitId>,
    /// The build that it will run: a new one, or that of an earlier deployment.
    pub build_id: BuildId,
}

impl Trigger {
    /// Whether it comes with a build of its own.
    #[must_use]
    pub fn builds(self) -> bool {
        match self {
            Self::Created | Self::Rebuild | Self::Push => true,
            Self::Rollback { .. } | Self::Reset => false,
        }
    }
}

impl DeploymentState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Building => "building",
            Self::Deploying => "deploying",
            Self::Live { .. } => "live",
            Self::Superseded { .. } => "superseded",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        match self {
            Self::Queued | Self::Building | Self::Deploying | Self::Live { .. } => false,
            Self::Superseded { .. } | Self::Failed { .. } | Self::Cancelled { .. } => true,
        }
    }

    /// Whether a caller who waits for the outcome has it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.is_terminal() || matches!(self, Self::Live { .. })
    }
}

impl Deployment {
    /// Asks for a deployment; the caller then stores it together with its job.
    #[must_use]
    pub fn request(new: NewDeployment, fx: Effects<'_>) -> Self {
        let NewDeployment {
            organization_id,
            project_id,
            environment_id,
            kind,
            trigger,
            requested_by,
            commit,
            build_id,
        } = new;
        let now = fx.clock.now();
        Self {
            id: DeploymentId::generate(fx),
            organization_id,
            project_id,
            environment_id,
            kind,
            trigger,
            requested_by,
            commit,
            build_id,
            state: DeploymentState::Queued,
            created_at: now,
            updated_at: now,
        }
    }

    /// Its build begins, from this commit.
    pub fn start_building(
        self,
        commit: CommitId,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        match self.state {
            DeploymentState::Queued => {
                Ok(Self { commit: Some(commit), ..self.to(DeploymentState::Building, now) })
            }
            DeploymentState::Building
            | DeploymentState::Deploying
            | DeploymentState::Live { .. }
            | DeploymentState::Superseded { .. }
            | DeploymentState::Failed { .. }
            | DeploymentState::Cancelled { .. } => Err(self.refuse("start building")),
        }
    }

    /// Its build was lost through a fault of ours, and another one takes its place.
    pub fn restart_building(
        self,
        build_id: BuildId,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        match self.state {
            DeploymentState::Building => {
                Ok(Self { build_id, ..self.to(DeploymentState::Building, now) })
            }
            DeploymentState::Queued
            | DeploymentState::Deploying
            | DeploymentState::Live { .. }
            | DeploymentState::Superseded { .. }
            | DeploymentState::Failed { .. }
            | DeploymentState::Cancelled { .. } => Err(self.refuse("restart the build of")),
        }
    }

    /// Its build is there: from its own building, or from an earlier deployment's.
    pub fn start_deploying(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match (&self.state, self.trigger) {
            (DeploymentState::Building, _)
            | (DeploymentState::Queued, Trigger::Rollback { .. } | Trigger::Reset) => {
                Ok(self.to(DeploymentState::Deploying, now))
            }
            _ => Err(self.refuse("start deploying")),
        }
    }

    /// Its app answers.
    pub fn go_live(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        if matches!(self.state, DeploymentState::Deploying) {
            Ok(self.to(DeploymentState::Live { since: now }, now))
        } else {
            Err(self.refuse("go live with"))
        }
    }

    /// A later one is live in its place, or its environment is gone.
    pub fn supersede(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            DeploymentState::Live { .. } => {
                Ok(self.to(DeploymentState::Superseded { at: now }, now))
            }
            DeploymentState::Queued
            | DeploymentState::Building
            | DeploymentState::Deploying
            | DeploymentState::Superseded { .. }
            | DeploymentState::Failed { .. }
            | DeploymentState::Cancelled { .. } => Err(self.refuse("supersede")),
        }
    }

    /// It cannot become live, or its app keeps crashing.
    pub fn fail(self, reason: &str, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        if self.state.is_terminal() {
            return Err(self.refuse("fail"));
        }
        Ok(self.to(DeploymentState::Failed { at: now, reason: reason.to_owned() }, now))
    }

    /// Calls it off, as long as it is not live.
    pub fn cancel(self, reason: &str, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            DeploymentState::Queued | DeploymentState::Building | DeploymentState::Deploying => {
                Ok(self.to(DeploymentState::Cancelled { at: now, reason: reason.to_owned() }, now))
            }
            DeploymentState::Live { .. }
            | DeploymentState::Superseded { .. }
            | DeploymentState::Failed { .. }
            | DeploymentState::Cancelled { .. } => Err(self.refuse("cancel")),
        }
    }

    fn to(self, state: DeploymentState, now: DateTime<Utc>) -> Self {
        Self { state, updated_at: now, ..self }
    }

    fn refuse(&self, wanted: &'static str) -> TransitionError {
        TransitionError { wanted, entity: "deployment", state: self.state.name() }
    }
}
