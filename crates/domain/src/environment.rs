//! Environments: one branch of a project, running under one address.

use chrono::{DateTime, Utc};

use crate::{
    BranchName, DeploymentId, Effects, HostLabel, Id, IdKind, OrganizationId, ProjectId, Resources,
    TransitionError,
};

/// A branch of a project and the app that runs from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Identifier.
    pub id: EnvironmentId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The branch it follows.
    pub branch: BranchName,
    /// Whether it lasts.
    pub kind: EnvironmentKind,
    /// The first label of its address; never changes.
    pub host: HostLabel,
    /// What its app may use where the file in its repository says so, instead of what its project
    /// says.
    pub resources: Resources,
    /// Where it is in its life.
    pub state: EnvironmentState,
    /// The deployment whose app answers, or will when the environment is resumed, if there is one.
    pub live_deployment: Option<DeploymentId>,
    /// Whether any app has answered in it since it was created or reset.
    pub was_live: bool,
    /// Whether what is run once in a new environment has been run since it was created or reset.
    pub is_set_up: bool,
    /// When it was last asked that something be deployed to it.
    pub refreshed_at: DateTime<Utc>,
    /// When a request to its app was last noted; noted for previews that rest, and now and then.
    pub visited_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts the changes: 1 when created.
    pub version: u64,
}

/// Identifier of an [`Environment`].
pub type EnvironmentId = Id<Environment>;

impl IdKind for Environment {
    const PREFIX: &'static str = "env";
}

/// Whether an environment lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// Until somebody destroys it.
    Persistent,
    /// As long as its branch at most: it came with a push.
    Preview,
}

/// Who paused an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PausedBy {
    /// Somebody, who will also resume it.
    Person,
    /// The platform, since nobody sent it a request: the next one wakes it.
    Idleness,
}

/// The life of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentState {
    /// Its first deployment is on its way.
    Provisioning,
    /// An app answers.
    Active,
    /// Its app was stopped to be started again later.
    Paused {
        /// Who did that.
        by: PausedBy,
    },
    /// Everything that its backing services hold is about to be removed, and its app to be started
    /// as in a new environment.
    Resetting,
    /// No app answers: the first deployment failed, or the app keeps crashing.
    Failed {
        /// Why, for people.
        reason: String,
    },
    /// It is being taken down.
    Destroying,
    /// Gone.
    Destroyed {
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// What is needed to create an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnvironment {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The project.
    pub project_id: ProjectId,
    /// The branch it follows.
    pub branch: BranchName,
    /// Whether it lasts.
    pub kind: EnvironmentKind,
    /// Its host label, not yet known to be free.
    pub host: HostLabel,
}

impl EnvironmentState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Paused { .. } => "paused",
            Self::Resetting => "resetting",
            Self::Failed { .. } => "failed",
            Self::Destroying => "destroying",
            Self::Destroyed { .. } => "destroyed",
        }
    }
}

impl Environment {
    /// Creates an environment; the caller then stores it.
    #[must_use]
    pub fn create(new: NewEnvironment, fx: Effects<'_>) -> Self {
        let NewEnvironment { organization_id, project_id, branch, kind, host } = new;
        let now = fx.clock.now();
        Self {
            id: EnvironmentId::generate(fx),
            organization_id,
            project_id,
            branch,
            kind,
            host,
            resources: Resources::default(),
            state: EnvironmentState::Provisioning,
            live_deployment: None,
            was_live: false,
            is_set_up: false,
            refreshed_at: now,
            visited_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Whether something may be deployed to it. A deployment wakes one that is paused.
    pub fn check_deployable(&self) -> Result<(), TransitionError> {
        match self.state {
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Resetting
            | EnvironmentState::Failed { .. } => Ok(()),
            EnvironmentState::Destroying | EnvironmentState::Destroyed { .. } => {
                Err(self.refuse("deploy to"))
            }
        }
    }

    /// The app of `deployment` answers now.
    pub fn go_live(
        self,
        deployment: DeploymentId,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Failed { .. } => Ok(Self {
                live_deployment: Some(deployment),
                was_live: true,
                ..self.to(EnvironmentState::Active, now)
            }),
            EnvironmentState::Resetting
            | EnvironmentState::Destroying
            | EnvironmentState::Destroyed { .. } => Err(self.refuse("go live in")),
        }
    }

    /// A deployment failed. While another one answers, or will again, that changes nothing; but a
    /// reset ends with it that had not begun.
    pub fn deployment_failed(
        self,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        match (&self.state, self.live_deployment) {
            (EnvironmentState::Active | EnvironmentState::Paused { .. }, Some(_)) => Ok(self),
            (EnvironmentState::Resetting, Some(_)) => Ok(self.to(EnvironmentState::Active, now)),
            (
                EnvironmentState::Provisioning
                | EnvironmentState::Active
                | EnvironmentState::Paused { .. }
                | EnvironmentState::Resetting
                | EnvironmentState::Failed { .. },
                _,
            ) => Ok(self.to(EnvironmentState::Failed { reason: reason.to_owned() }, now)),
            (EnvironmentState::Destroying | EnvironmentState::Destroyed { .. }, _) => {
                Err(self.refuse("fail a deployment in"))
            }
        }
    }

    /// The app that answered keeps crashing, so none answers any more.
    pub fn app_failed(self, reason: &str, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Active => Ok(Self {
                live_deployment: None,
                ..self.to(EnvironmentState::Failed { reason: reason.to_owned() }, now)
            }),
            EnvironmentState::Provisioning
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Resetting
            | EnvironmentState::Failed { .. }
            | EnvironmentState::Destroying
            | EnvironmentState::Destroyed { .. } => Err(self.refuse("fail the app of")),
        }
    }

    /// Something is to be deployed to it.
    pub fn refresh(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        self.check_deployable()?;
        Ok(Self { refreshed_at: now, updated_at: now, version: self.version + 1, ..self })
    }

    /// Its app may use something else from now on.
    pub fn allot(self, resources: Resources, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        self.check_deployable()?;
        Ok(Self { resources, updated_at: now, version: self.version + 1, ..self })
    }

    /// Its app is to be stopped, and to be started again when it is resumed. What rests by itself
    /// can be paused by a person: then no request wakes it any more.
    pub fn pause(self, by: PausedBy, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match (&self.state, by) {
            (EnvironmentState::Active, _)
            | (EnvironmentState::Paused { by: PausedBy::Idleness }, PausedBy::Person) => {
                Ok(self.to(EnvironmentState::Paused { by }, now))
            }
            (
                EnvironmentState::Provisioning
                | EnvironmentState::Paused { .. }
                | EnvironmentState::Resetting
                | EnvironmentState::Failed { .. }
                | EnvironmentState::Destroying
                | EnvironmentState::Destroyed { .. },
                _,
            ) => Err(self.refuse("pause")),
        }
    }

    /// Its app is to run again.
    pub fn resume(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Paused { .. } => Ok(self.to(EnvironmentState::Active, now)),
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Resetting
            | EnvironmentState::Failed { .. }
            | EnvironmentState::Destroying
            | EnvironmentState::Destroyed { .. } => Err(self.refuse("resume")),
        }
    }

    /// Everything that its backing services hold is to be removed.
    pub fn reset(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Failed { .. } => Ok(self.to(EnvironmentState::Resetting, now)),
            EnvironmentState::Provisioning
            | EnvironmentState::Resetting
            | EnvironmentState::Destroying
            | EnvironmentState::Destroyed { .. } => Err(self.refuse("reset")),
        }
    }

    /// Its backing services hold nothing any more, and no app of it runs: it is as new. Where its
    /// reset was called off meanwhile, only what is run once in a new environment is due again.
    pub fn emptied(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Resetting => Ok(Self {
                live_deployment: None,
                was_live: false,
                is_set_up: false,
                ..self.to(EnvironmentState::Provisioning, now)
            }),
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Failed { .. } => {
                let state = self.state.clone();
                Ok(Self { is_set_up: false, ..self.to(state, now) })
            }
            EnvironmentState::Destroying | EnvironmentState::Destroyed { .. } => {
                Err(self.refuse("empty"))
            }
        }
    }

    /// What is run once in a new environment has been run.
    pub fn set_up(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        self.check_deployable().map_err(|_| self.refuse("set up"))?;
        let state = self.state.clone();
        Ok(Self { is_set_up: true, ..self.to(state, now) })
    }

    /// Whether the next request is to start its app again.
    #[must_use]
    pub fn wakes_on_request(&self) -> bool {
        self.state == EnvironmentState::Paused { by: PausedBy::Idleness }
    }

    /// Begins to take it down.
    pub fn destroy(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Resetting
            | EnvironmentState::Failed { .. } => Ok(self.to(EnvironmentState::Destroying, now)),
            EnvironmentState::Destroying | EnvironmentState::Destroyed { .. } => {
                Err(self.refuse("destroy"))
            }
        }
    }

    /// Everything of it is gone.
    pub fn finish_destroying(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            EnvironmentState::Destroying => Ok(Self {
                live_deployment: None,
                ..self.to(EnvironmentState::Destroyed { at: now }, now)
            }),
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused { .. }
            | EnvironmentState::Resetting
            | EnvironmentState::Failed { .. }
            | EnvironmentState::Destroyed { .. } => Err(self.refuse("finish destroying")),
        }
    }

    fn to(self, state: EnvironmentState, now: DateTime<Utc>) -> Self {
        Self { state, updated_at: now, version: self.version + 1, ..self }
    }

    fn refuse(&self, wanted: &'static str) -> TransitionError {
        TransitionError { wanted, entity: "environment", state: self.state.name() }
    }
}

impl EnvironmentKind {
    /// The kind's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::Preview => "preview",
        }
    }
}
