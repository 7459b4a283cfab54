//! What Windlass asks of whatever builds and runs software: the [`Engine`] trait.
//!
//! Every call is idempotent and keyed by our ids, so that a call repeated after a crash is safe.
//! An engine knows nothing of tenants, databases or HTTP, and it decides nothing: it is told.

#[cfg(feature = "test-util")]
pub mod contract;
mod credential;
#[cfg(feature = "test-util")]
pub mod fake;
mod node;
mod task;

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tokio::sync::{broadcast, mpsc};
use windlass_domain::{
    Availability, BranchName, BuildId, BuildResult, CommandLine, CommitId, DeploymentId, EnvVarKey,
    EnvironmentId, GitUrl, LogStream, LogText, NodeName, ProjectId, Usage,
};

pub use crate::{
    credential::SourceCredential,
    node::{Admission, ObservedNode},
    task::{ParseTaskIdError, TaskId, TaskReport, TaskRequest, TaskResult},
};

/// Builds repositories and runs what came of them.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Its name, for people: `local`.
    fn name(&self) -> &'static str;

    /// Whether it can work at all; the error says what is missing.
    async fn check(&self) -> Result<(), EngineError>;

    /// The commit that the branch points to now.
    async fn resolve(
        &self,
        source: &GitUrl,
        branch: &BranchName,
        credential: Option<&SourceCredential>,
    ) -> Result<CommitId, EngineError>;

    /// The first of some files in the top folder of a commit that is there. One that has more than
    /// `most` bytes, or is no file, is refused.
    async fn read_first(
        &self,
        source: SourceAt<'_>,
        names: &[&str],
        most: usize,
    ) -> Result<Option<SourceFile>, EngineError>;

    /// Runs a build to its end, or joins one that runs or has ended already, and sends its lines
    /// from number `from` on (counted from 0).
    ///
    /// Returns after the last line was sent. Dropping the future leaves the build running; only
    /// [`Engine::cancel_build`] ends it. A build that an accident ended (the machine restarted) is
    /// reported as [`BuildResult::InternalError`] with what was last measured.
    async fn build(
        &self,
        request: &BuildRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<BuildReport, EngineError>;

    /// Ends a build and its whole process tree; whoever waits in [`Engine::build`] gets the
    /// report. Without effect on a build that has ended or never began.
    async fn cancel_build(&self, build: BuildId) -> Result<(), EngineError>;

    /// Drops what was kept so that [`Engine::build`] could join (lines, report), once all of it is
    /// stored elsewhere. What was built stays. A build that still runs is ended.
    async fn forget_build(&self, build: BuildId) -> Result<(), EngineError>;

    /// The builds of which something that was built is kept.
    async fn kept_builds(&self) -> Result<Vec<BuildId>, EngineError>;

    /// Removes what these builds made, except for those that run or whose output an app or a task
    /// uses.
    async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError>;

    /// Runs a task to its end, or joins one that runs or has ended already, and sends its lines
    /// from number `from` on.
    ///
    /// It runs where the app will: with the files that were built, the app's variables (but no
    /// `PORT`), user, network and confinement.
    ///
    /// Returns after the last line was sent. Dropping the future leaves the task running; only
    /// [`Engine::cancel_task`] ends it. Under one id it runs **once**, whatever is killed: one that
    /// an accident ended (the machine restarted) is reported as [`TaskResult::Lost`], as often as
    /// it is asked for. Where this is an error it may be asked for again, too; one that is refused
    /// has not begun.
    async fn run_task(
        &self,
        request: &TaskRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<TaskReport, EngineError>;

    /// Ends a task and its whole process tree; whoever waits in [`Engine::run_task`] gets the
    /// report. Without effect on a task that has ended or never began.
    async fn cancel_task(&self, task: TaskId) -> Result<(), EngineError>;

    /// Drops what was kept so that [`Engine::run_task`] could join, once all of it is stored
    /// elsewhere. A task that still runs is ended. Whoever asks for it later runs it again.
    async fn forget_task(&self, task: TaskId) -> Result<(), EngineError>;

    /// The tasks that were begun and not forgotten.
    async fn kept_tasks(&self) -> Result<Vec<TaskId>, EngineError>;

    /// Starts the app of a deployment beside all others and waits until it is healthy. Joins one
    /// that is starting or running already.
    ///
    /// On an error the app is stopped again.
    async fn start(&self, request: &AppRequest) -> Result<RunningApp, EngineError>;

    /// Ends an app: asks it to, waits for `grace`, then forces it. Without effect on an app that
    /// is not there.
    async fn stop(&self, deployment: DeploymentId, grace: Duration) -> Result<(), EngineError>;

    /// Every app that the engine knows of, whatever its state.
    async fn observe(&self) -> Result<Vec<ObservedApp>, EngineError>;

    /// Sends what an app printed from line number `from` on (counted from 0, over its restarts),
    /// and goes on with what it prints until it has ended for good. Returns at once for an app
    /// that is not there. Old lines may be gone; the numbers tell.
    async fn follow(
        &self,
        deployment: DeploymentId,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<(), EngineError>;

    /// Tells which apps have changed their state. A receiver that lags should
    /// [`Engine::observe`].
    fn changes(&self) -> broadcast::Receiver<DeploymentId>;

    /// Every machine that the engine knows of, whatever its state: at least the one that it is on.
    async fn nodes(&self) -> Result<Vec<ObservedNode>, EngineError>;

    /// What another machine needs to join. Refused by an engine that has but one.
    async fn admission(&self) -> Result<Admission, EngineError>;

    /// Makes what was needed so far worthless: a token that has got into wrong hands lets nobody in
    /// any more. Machines that have joined stay.
    async fn rotate_admission(&self) -> Result<Admission, EngineError>;

    /// Says whether a machine is given apps. Those of one that is drained are on their way
    /// elsewhere when this returns. Refused for one that is not there, and where apps of a machine
    /// that is to be drained could run nowhere else.
    async fn set_availability(
        &self,
        node: &NodeName,
        availability: Availability,
    ) -> Result<(), EngineError>;

    /// Forgets a machine that is drained or down, and runs no apps. Without effect on one that is
    /// not there. Refused for the last manager, and for the machine through which this engine talks
    /// to all others.
    async fn remove_node(&self, node: &NodeName) -> Result<(), EngineError>;
}

/// A commit, and where it is found.
#[derive(Debug, Clone, Copy)]
pub struct SourceAt<'a> {
    /// Where the source is.
    pub source: &'a GitUrl,
    /// The branch on which the commit is found.
    pub branch: &'a BranchName,
    /// The commit.
    pub commit: &'a CommitId,
    /// As whom the source is asked for, where it wants to know.
    pub credential: Option<&'a SourceCredential>,
}

/// A file, as it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// What to build, and within which limits.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// Names the build; the same request may come again.
    pub build: BuildId,
    /// The project, for caches that its builds share.
    pub project: ProjectId,
    /// Where the source is.
    pub source: GitUrl,
    /// The branch on which the commit is found.
    pub branch: BranchName,
    /// The commit that is built, whatever the branch points to by now.
    pub commit: CommitId,
    /// As whom the source is asked for, where it wants to know. It is for fetching alone, is kept
    /// nowhere and given to nothing that is built.
    pub credential: Option<SourceCredential>,
    /// How to build and start it.
    pub recipe: Recipe,
    /// The project's variables.
    pub variables: Vec<Variable>,
    /// What it may use.
    pub limits: BuildLimits,
}

/// What a project says about how it is built and started. What is absent is recognised from the
/// files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Path of the Dockerfile.
    pub dockerfile: Option<String>,
    /// The folder in the repository that is built.
    pub build_context: Option<String>,
    /// Shell command that builds.
    pub build_command: Option<CommandLine>,
    /// Shell command that starts the app.
    pub start_command: Option<CommandLine>,
}

/// A variable for builds and apps.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub key: EnvVarKey,
    /// Its value, byte for byte.
    pub value: SecretString,
}

/// What a build may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildLimits {
    /// CPUs, in thousandths.
    pub cpu_millis: u32,
    /// Memory of the whole process tree, in bytes.
    pub memory_bytes: u64,
    /// Wall-clock time.
    pub wall: Duration,
    /// Processes and threads at once.
    pub processes: u32,
    /// Disk space of the workspace, in bytes.
    pub disk_bytes: u64,
    /// Output, in bytes; what is printed beyond it is dropped, with a line that says so.
    pub log_bytes: u64,
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildReport {
    /// What came of it.
    pub result: BuildResult,
    /// Why it did not succeed, for people; empty where it did.
    pub message: String,
    /// What the whole process tree used.
    pub usage: Usage,
    /// How many lines it printed.
    pub lines: u64,
}

/// A line that a build or an app printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineLine {
    /// Counts from 0, without gaps as long as no old lines were dropped.
    pub number: u64,
    /// When it was printed.
    pub time: DateTime<Utc>,
    /// Where it came from.
    pub stream: LogStream,
    /// What it says.
    pub text: LogText,
}

/// Which app to start, and within which limits.
#[derive(Debug, Clone)]
pub struct AppRequest {
    /// Names the app; the same request may come again.
    pub deployment: DeploymentId,
    /// The environment it is for.
    pub environment: EnvironmentId,
    /// The build that it runs.
    pub build: BuildId,
    /// Shell command that starts it, where that was not fixed by the build.
    pub start_command: Option<CommandLine>,
    /// The project's variables.
    pub variables: Vec<Variable>,
    /// The port that it listens on, where it ignores `PORT`.
    pub port: Option<u16>,
    /// Path that answers 2xx or 3xx once it is healthy; a TCP connection is enough without.
    pub health_path: Option<String>,
    /// How long it may take to become healthy.
    pub start_timeout: Duration,
    /// What it may use.
    pub limits: AppLimits,
    /// The number of the first line that it will print: one that is started again under the same
    /// name goes on counting.
    pub first_line: u64,
}

/// What an app may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppLimits {
    /// CPUs, in thousandths.
    pub cpu_millis: u32,
    /// Memory of the whole process tree, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at once.
    pub processes: u32,
    /// Output that is kept, in bytes; the oldest goes first.
    pub log_bytes: u64,
}

/// An app that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningApp {
    /// Where its replicas listen.
    pub addresses: Vec<SocketAddr>,
}

/// An app as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedApp {
    /// Names it.
    pub deployment: DeploymentId,
    /// The environment it is for.
    pub environment: EnvironmentId,
    /// The build that it runs.
    pub build: BuildId,
    /// How it is.
    pub state: AppState,
}

/// How an app is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppState {
    /// It runs and has not been healthy yet.
    Starting,
    /// It runs.
    Running(RunningApp),
    /// It ended by itself and is started again after a pause.
    Restarting {
        /// How often it was started again without having run well in between.
        restarts: u32,
    },
    /// It kept ending, so it is not started again.
    Crashed {
        /// How it ended and its last lines, for people.
        reason: String,
    },
    /// It was stopped and is about to be gone.
    Stopped,
}

/// Why an engine could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The repository, the settings or the app are at fault; trying again does not help. The text
    /// is for the people of the project.
    #[error("{0}")]
    Refused(String),
    /// Something outside is not there now (the git remote, the engine's daemon); trying again may
    /// help. The text is for the people of the project.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the engine. The text is for the operator, not for tenants.
    #[error("the engine failed: {context}")]
    Internal {
        /// What was attempted.
        context: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
