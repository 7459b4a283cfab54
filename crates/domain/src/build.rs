//! Builds: one run of a repository's build, metered.

use chrono::{DateTime, Utc};

use crate::{
    CommitId, Effects, EnvironmentId, Id, IdKind, OrganizationId, ProjectId, TransitionError, Usage,
};

/// One run of a repository's build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Identifier.
    pub id: BuildId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// The project it builds.
    pub project_id: ProjectId,
    /// The environment it is for.
    pub environment_id: EnvironmentId,
    /// Counts the organization's builds from 1.
    pub number: u64,
    /// The commit it builds; unknown until it starts.
    pub commit: Option<CommitId>,
    /// The build that was lost through a fault of ours and that this one repeats.
    pub restart_of: Option<BuildId>,
    /// Where it is in its life.
    pub state: BuildState,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// Identifier of a [`Build`].
pub type BuildId = Id<Build>;

impl IdKind for Build {
    const PREFIX: &'static str = "bld";
}

/// The life of a build. It ends exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildState {
    /// Waits for a worker.
    Pending,
    /// Runs.
    Running {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Has ended.
    Ended(BuildEnd),
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildEnd {
    /// When it began to run, if it did.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// What came of it.
    pub result: BuildResult,
    /// For people: why it did not succeed. Empty where it did.
    pub message: String,
    /// What it used.
    pub usage: Usage,
}

/// What came of a build; the names are those of nixbuild.net's `build_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuildResult {
    /// It can be run.
    Built,
    /// Its command failed.
    BuildFailed,
    /// Somebody called it off.
    Cancelled,
    /// It used up its time.
    Timeout,
    /// It used more memory than it was allowed.
    MaxMemoryExceeded,
    /// The repository or its settings cannot be built, whoever builds them.
    ClientError,
    /// A fault of ours; never billed.
    InternalError,
}

/// What is needed to ask for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewBuild {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The organization's next number.
    pub number: u64,
    /// The build that this one repeats.
    pub restart_of: Option<BuildId>,
}

impl BuildResult {
    /// Every result there is.
    pub const ALL: [Self; 7] = [
        Self::Built,
        Self::BuildFailed,
        Self::Cancelled,
        Self::Timeout,
        Self::MaxMemoryExceeded,
        Self::ClientError,
        Self::InternalError,
    ];

    /// The result's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::BuildFailed => "build_failed",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::MaxMemoryExceeded => "max_memory_exceeded",
            Self::ClientError => "client_error",
            Self::InternalError => "internal_error",
        }
    }

    /// Whether the time it used is billed: everything but our own faults.
    #[must_use]
    pub fn is_billable(self) -> bool {
        self != Self::InternalError
    }
}

impl BuildState {
    /// The state's name, as `build_status` has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running { .. } => "running",
            Self::Ended(end) => end.result.name(),
        }
    }
}

impl Build {
    /// Asks for a build; the caller then stores it.
    #[must_use]
    pub fn request(new: NewBuild, fx: Effects<'_>) -> Self {
        let NewBuild { organization_id, project_id, environment_id, number, restart_of } = new;
        Self {
            id: BuildId::generate(fx),
            organization_id,
            project_id,
            environment_id,
            number,
            commit: None,
            restart_of,
            state: BuildState::Pending,
            created_at: fx.clock.now(),
        }
    }

    /// It begins to run.
    pub fn start(self, commit: CommitId, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            BuildState::Pending => {
                let state = BuildState::Running { since: now };
                Ok(Self { commit: Some(commit), state, ..self })
            }
            BuildState::Running { .. } | BuildState::Ended(_) => Err(self.refuse("start")),
        }
    }

    /// It ends. What never ran can only be cancelled or failed, and has used nothing.
    pub fn end(
        self,
        result: BuildResult,
        message: &str,
        usage: Usage,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        let started_at = match self.state {
            BuildState::Running { since } => Some(since),
            BuildState::Pending if result != BuildResult::Built => None,
            BuildState::Pending | BuildState::Ended(_) => return Err(self.refuse("end")),
        };
        let usage = if started_at.is_some() { usage } else { Usage::default() };
        let end = BuildEnd { started_at, at: now, result, message: message.to_owned(), usage };
        Ok(Self { state: BuildState::Ended(end), ..self })
    }

    fn refuse(&self, wanted: &'static str) -> TransitionError {
        TransitionError { wanted, entity: "build", state: self.state.name() }
    }
}
