//! Projects: a git repository and how it is built and run.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    BranchName, Effects, GitUrl, GithubRepo, Hook, Id, IdKind, Name, OrganizationId, Previews,
    Slug, TransitionError,
};

/// A git repository that is built and run, with an environment per branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Identifier.
    pub id: ProjectId,
    /// The tenant that owns it.
    pub organization_id: OrganizationId,
    /// Name, as its people write it.
    pub name: Name,
    /// The name made fit for host names; unique in the organization, fixed for life.
    pub slug: Slug,
    /// Where its source is fetched from.
    pub git_url: GitUrl,
    /// The repository on GitHub that `git_url` was derived from.
    pub github_repo: Option<GithubRepo>,
    /// The branch that is deployed when none is named.
    pub default_branch: BranchName,
    /// How it is built and run.
    pub settings: ProjectSettings,
    /// Where it is in its life.
    pub state: ProjectState,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Counts the changes: 1 when created.
    pub version: u64,
}

/// Identifier of a [`Project`].
pub type ProjectId = Id<Project>;

impl IdKind for Project {
    const PREFIX: &'static str = "proj";
}

/// How a project is built and run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectSettings {
    /// Path of the Dockerfile, where one is to be used.
    pub dockerfile: Option<String>,
    /// The folder in the repository that is built; `.` is its root.
    pub build_context: Option<String>,
    /// Backing services that the app asks for.
    pub services: Services,
    /// Shell command that builds it; recognised from the files where absent.
    pub build_command: Option<CommandLine>,
    /// Shell command that starts it; recognised from the files where absent.
    pub start_command: Option<CommandLine>,
    /// Path that answers 2xx or 3xx once the app is healthy; a TCP connection is enough without.
    pub health_path: Option<String>,
    /// The port that the app listens on, where it ignores `PORT`.
    pub port: Option<u16>,
    /// What each running app may use.
    pub resources: Resources,
    /// What each build may use.
    pub build_resources: BuildResources,
    /// Which branches get a preview.
    #[serde(default)]
    pub previews: Previews,
    /// Commands that are run at certain moments.
    #[serde(default)]
    pub hooks: Hooks,
}

/// Commands that are run in what was built, before its app is started.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// Once, in a new environment.
    pub on_new: Option<CommandLine>,
    /// With each deployment.
    pub on_deploy: Option<CommandLine>,
}

impl Hooks {
    /// What is to be run at this moment, if anything is.
    #[must_use]
    pub fn command(&self, hook: Hook) -> Option<&CommandLine> {
        match hook {
            Hook::OnNew => self.on_new.as_ref(),
            Hook::OnDeploy => self.on_deploy.as_ref(),
        }
    }
}

/// Backing services that an app asks for, or has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// A PostgreSQL database.
    pub postgres: bool,
    /// A Redis server.
    pub redis: bool,
    /// An S3 bucket.
    pub s3: bool,
}

impl Services {
    /// None of them.
    pub const NONE: Self = Self { postgres: false, redis: false, s3: false };
}

/// What a running app may use. `None` is the server's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// CPUs, in thousandths.
    pub cpu_millis: Option<u32>,
    /// Memory in MiB.
    pub memory_mb: Option<u32>,
}

impl Resources {
    /// These, and others where they say nothing.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.or(others.cpu_millis),
            memory_mb: self.memory_mb.or(others.memory_mb),
        }
    }
}

/// What a build may use. `None` is the server's default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildResources {
    /// CPUs, in thousandths.
    pub cpu_millis: Option<u32>,
    /// Memory in MiB.
    pub memory_mb: Option<u32>,
    /// Wall-clock seconds.
    pub timeout_seconds: Option<u32>,
}

/// The life of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectState {
    /// In use.
    Active,
    /// Its environments are being destroyed.
    Deleting {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Gone; kept only so that usage and logs can name it.
    Deleted {
        /// When it ended.
        at: DateTime<Utc>,
    },
}

/// What is needed to create a project.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProject {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: Name,
    /// Its slug, not yet known to be free.
    pub slug: Slug,
    /// Where its source is fetched from.
    pub git_url: GitUrl,
    /// The repository on GitHub that `git_url` was derived from.
    pub github_repo: Option<GithubRepo>,
    /// The branch that is deployed when none is named.
    pub default_branch: BranchName,
    /// How it is built and run.
    pub settings: ProjectSettings,
}

/// The parts of a project that its people may change.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectChange {
    /// Its name; the slug stays.
    pub name: Name,
    /// Where its source is fetched from.
    pub git_url: GitUrl,
    /// The repository on GitHub that `git_url` was derived from.
    pub github_repo: Option<GithubRepo>,
    /// The branch that is deployed when none is named.
    pub default_branch: BranchName,
    /// How it is built and run.
    pub settings: ProjectSettings,
}

impl ProjectState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleting { .. } => "deleting",
            Self::Deleted { .. } => "deleted",
        }
    }
}

impl Project {
    /// Creates a project; the caller then stores it.
    #[must_use]
    pub fn create(new: NewProject, fx: Effects<'_>) -> Self {
        let NewProject {
            organization_id,
            name,
            slug,
            git_url,
            github_repo,
            default_branch,
            settings,
        } = new;
        let now = fx.clock.now();
        Self {
            id: ProjectId::generate(fx),
            organization_id,
            name,
            slug,
            git_url,
            github_repo,
            default_branch,
            settings,
            state: ProjectState::Active,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Replaces what its people may change.
    pub fn change(
        self,
        change: ProjectChange,
        now: DateTime<Utc>,
    ) -> Result<Self, TransitionError> {
        let ProjectChange { name, git_url, github_repo, default_branch, settings } = change;
        match self.state {
            ProjectState::Active => Ok(Self {
                name,
                git_url,
                github_repo,
                default_branch,
                settings,
                updated_at: now,
                version: self.version + 1,
                ..self
            }),
            ProjectState::Deleting { .. } | ProjectState::Deleted { .. } => {
                Err(self.refuse("change"))
            }
        }
    }

    /// Begins to delete it.
    pub fn delete(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            ProjectState::Active => Ok(self.to(ProjectState::Deleting { since: now }, now)),
            ProjectState::Deleting { .. } | ProjectState::Deleted { .. } => {
                Err(self.refuse("delete"))
            }
        }
    }

    /// Ends it, after its environments.
    pub fn finish_deleting(self, now: DateTime<Utc>) -> Result<Self, TransitionError> {
        match self.state {
            ProjectState::Deleting { .. } => Ok(self.to(ProjectState::Deleted { at: now }, now)),
            ProjectState::Active | ProjectState::Deleted { .. } => {
                Err(self.refuse("finish deleting"))
            }
        }
    }

    fn to(self, state: ProjectState, now: DateTime<Utc>) -> Self {
        Self { state, updated_at: now, version: self.version + 1, ..self }
    }

    fn refuse(&self, wanted: &'static str) -> TransitionError {
        TransitionError { wanted, entity: "project", state: self.state.name() }
    }
}

/// A shell command of 1 to 4000 bytes, without NUL or other control characters than line ends
/// and tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandLine(String);

/// The text is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a shell command of 1 to 4000 bytes without control characters")]
pub struct CommandLineError;

impl CommandLine {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommandLine {
    type Err = CommandLineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        if text.trim().is_empty() || 4_000 < text.len() || text.chars().any(bad) {
            return Err(CommandLineError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for CommandLine {
    type Error = CommandLineError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CommandLine> for String {
    fn from(command: CommandLine) -> Self {
        command.0
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
