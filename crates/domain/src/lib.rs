//! What Windlass is about: entities, identifiers, value objects and their state machines.
//!
//! Pure: no I/O, no async, no clock. Time and randomness come in as [`Effects`], text becomes a
//! type by parsing, and every state machine's transitions consume the old state.

mod branch;
mod build;
mod deployment;
mod effects;
mod email;
mod env_var;
mod environment;
mod git;
mod hook;
mod host;
mod id;
mod job;
mod log;
mod name;
mod node;
mod organization;
mod page;
mod preview;
mod project;
mod quota;
mod settings;
mod slug;
mod transition;
mod usage;
mod webhook;

pub use crate::{
    branch::{BranchName, BranchNameError},
    build::{Build, BuildEnd, BuildId, BuildResult, BuildState, NewBuild},
    deployment::{
        Deployment, DeploymentId, DeploymentKind, DeploymentState, NewDeployment, Trigger,
    },
    effects::{Clock, Effects, Entropy, OsEntropy, SystemClock},
    email::{EmailAddress, EmailAddressError},
    env_var::{
        EnvVar, EnvVarId, EnvVarKey, EnvVarKeyError, EnvVarValueError, SealedValue,
        check_env_var_value,
    },
    environment::{
        Environment, EnvironmentId, EnvironmentKind, EnvironmentState, NewEnvironment, PausedBy,
    },
    git::{CommitId, CommitIdError, GitUrl, GitUrlError, GithubRepo, GithubRepoError, Protocol},
    hook::{Hook, ParseHookError},
    host::{HostLabel, HostLabelError},
    id::{Id, IdKind, ParseIdError},
    job::{Backoff, Job, JobId, JobKind, JobState, Lease, NewJob, WorkerId},
    log::{LogId, LogLine, LogStream, LogText, NewLogLine},
    name::{Name, NameError, is_unprintable},
    node::{Availability, NodeName, NodeNameError, NodeRole, NodeState},
    organization::{Organization, OrganizationId, User, UserId},
    page::{InvalidPageLimit, Page, PageRequest},
    preview::{BranchPattern, BranchPatternError, MAX_BRANCH_PATTERNS, Previews},
    project::{
        BuildResources, CommandLine, CommandLineError, Hooks, NewProject, Project, ProjectChange,
        ProjectId, ProjectSettings, ProjectState, Resources, Services,
    },
    quota::{Amounts, Limited, ParsePlanNameError, PlanName, QuotaExceeded},
    settings::{
        CPU_MILLIS, CpusError, HealthPathError, MEMORY_MB, RepositoryPathError, TIMEOUT_SECONDS,
        check_health_path, check_repository_path, cpu_millis,
    },
    slug::{Slug, SlugError},
    transition::TransitionError,
    usage::{Usage, UsageEvent, UsageEventId, UsageTotals},
    webhook::{
        WebhookDelivery, WebhookDeliveryId, WebhookOutcome, WebhookSecret, WebhookSecretId,
        WebhookWish,
    },
};

/// Deterministic time and randomness for tests.
#[cfg(any(test, feature = "test-util"))]
pub mod test_util {
    pub use crate::effects::test_util::{CountingEntropy, ManualClock};
}
