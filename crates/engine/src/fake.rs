//! An engine in memory that does what a test tells it.
//!
//! A commit's build, app and tasks follow their scripts ([`FakeEngine::script_build`],
//! [`FakeEngine::script_app`], [`FakeEngine::script_task`]); where there is none, the build and the
//! tasks succeed and the app answers. What goes wrong is told, too: calls fail ([`FakeEngine::fail_next`]), apps crash
//! ([`FakeEngine::set_app`]), the machine restarts ([`FakeEngine::restart_machine`]).

mod app;
mod build;
mod fault;
mod nodes;
mod output;
mod script;
mod state;
mod task;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{broadcast, mpsc};
use windlass_domain::{
    Availability, BranchName, BuildId, BuildResult, Clock, CommitId, DeploymentId, GitUrl, Hook,
    LogStream, NodeName,
};

use self::{app::AppRun, build::BuildRun, state::State, task::TaskRun};
pub use self::{
    fault::{Fault, Operation},
    script::{AppScript, BuildScript, Gate, TaskScript},
};
use crate::{
    Admission, AppRequest, AppState, BuildReport, BuildRequest, Engine, EngineError, EngineLine,
    ObservedApp, ObservedNode, RunningApp, SourceAt, SourceCredential, SourceFile, TaskId,
    TaskReport, TaskRequest, TaskResult,
};

/// More changes than any test makes without looking.
const CHANGES: usize = 1024;

/// An engine in memory; clones are the same engine.
#[derive(Clone)]
pub struct FakeEngine {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changes: broadcast::Sender<DeploymentId>,
}

impl FakeEngine {
    /// An engine that knows nothing yet; its lines carry the clock's time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        Self { inner: Arc::new(Inner { clock, state: Mutex::default(), changes }) }
    }

    /// Makes a branch point to a commit.
    pub fn push(&self, source: &GitUrl, branch: &BranchName, commit: &CommitId) {
        self.state().push(source, branch, commit);
    }

    /// Puts a file into the top folder of a commit.
    pub fn commit_file(&self, commit: &CommitId, name: &str, text: &str) {
        self.state().commit_file(commit, name, text);
    }

    /// What builds of a commit do that begin from now on.
    pub fn script_build(&self, commit: &CommitId, script: BuildScript) {
        self.state().script_build(commit, script);
    }

    /// What apps do that run a build of the commit and start from now on.
    pub fn script_app(&self, commit: &CommitId, script: AppScript) {
        self.state().script_app(commit, script);
    }

    /// What tasks of a hook do that run in a build of the commit and begin from now on.
    pub fn script_task(&self, commit: &CommitId, hook: Hook, script: TaskScript) {
        self.state().script_task(commit, hook, script);
    }

    /// The next `times` calls of `operation` fail, and do nothing else.
    pub fn fail_next(&self, operation: Operation, fault: Fault, times: usize) {
        self.state().fail_next(operation, fault, times);
    }

    /// How often `operation` was called.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> usize {
        self.state().calls(operation)
    }

    /// How often a build was really run, not only joined.
    #[must_use]
    pub fn runs(&self, build: BuildId) -> usize {
        self.state().runs(build)
    }

    /// The requests of all tasks that were really run, in their order, forgotten ones, too.
    #[must_use]
    pub fn tasks_run(&self) -> Vec<TaskRequest> {
        self.state().tasks_run().to_vec()
    }

    /// Whether what a build made is still there.
    #[must_use]
    pub fn is_kept(&self, build: BuildId) -> bool {
        self.state().is_built(build)
    }

    /// As whom a source was asked for, each time.
    #[must_use]
    pub fn asked_as(&self, source: &GitUrl) -> Vec<Option<SourceCredential>> {
        self.state().asked_as(source)
    }

    /// The request that a build was last begun with.
    #[must_use]
    pub fn build_request(&self, build: BuildId) -> Option<BuildRequest> {
        self.state().build_request(build)
    }

    /// The request that an app was started with, as long as it is there.
    #[must_use]
    pub fn app_request(&self, deployment: DeploymentId) -> Option<AppRequest> {
        self.state().app(deployment).map(|app| app.request().clone())
    }

    /// An app prints a line.
    pub fn print(&self, deployment: DeploymentId, text: &str) {
        if let Some(app) = self.state().app(deployment) {
            app.output().print(self.inner.clock.now(), LogStream::Stdout, text);
        }
    }

    /// An app changes its state by itself: it crashes, restarts or comes back.
    pub fn set_app(&self, deployment: DeploymentId, state: AppState) {
        if let Some(app) = self.state().app(deployment) {
            app.set(state);
            self.inner.changed(deployment);
        }
    }

    /// Where an app answers, if it runs.
    #[must_use]
    pub fn running(&self, deployment: DeploymentId) -> Option<RunningApp> {
        match self.state().app(deployment)?.observed().state {
            AppState::Running(app) => Some(app),
            AppState::Starting
            | AppState::Restarting { .. }
            | AppState::Crashed { .. }
            | AppState::Stopped => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state()
    }

    fn call(&self, operation: Operation) -> Result<MutexGuard<'_, State>, EngineError> {
        let mut state = self.state();
        match state.call(operation) {
            Some(fault) => Err(fault.into()),
            None => Ok(state),
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, deployment: DeploymentId) {
        // Nobody may be listening.
        let _ = self.changes.send(deployment);
    }
}

#[async_trait]
impl Engine for FakeEngine {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn check(&self) -> Result<(), EngineError> {
        self.call(Operation::Check).map(drop)
    }

    async fn resolve(
        &self,
        source: &GitUrl,
        branch: &BranchName,
        credential: Option<&SourceCredential>,
    ) -> Result<CommitId, EngineError> {
        let mut state = self.call(Operation::Resolve)?;
        state.asked(source, credential);
        state
            .resolve(source, branch)
            .ok_or_else(|| EngineError::Refused(format!("the repository has no branch {branch}")))
    }

    async fn read_first(
        &self,
        source: SourceAt<'_>,
        names: &[&str],
        most: usize,
    ) -> Result<Option<SourceFile>, EngineError> {
        let mut state = self.call(Operation::ReadFirst)?;
        state.asked(source.source, source.credential);
        match state.first_file(source.commit, names) {
            Some(file) if most < file.bytes.len() => {
                Err(EngineError::Refused(format!("{} has more than {most} bytes", file.name)))
            }
            found => Ok(found),
        }
    }

    async fn build(
        &self,
        request: &BuildRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<BuildReport, EngineError> {
        let run = {
            let mut state = self.call(Operation::Build)?;
            if let Some(run) = state.run(request.build) {
                run
            } else {
                let script = state.begin_build(request);
                let run = BuildRun::begin(script, Arc::clone(&self.inner), request.build);
                state.insert_run(request.build, &run);
                run
            }
        };
        Ok(run.output().read(from, &lines).await)
    }

    async fn cancel_build(&self, build: BuildId) -> Result<(), EngineError> {
        let run = self.call(Operation::CancelBuild)?.run(build);
        if let Some(run) = run {
            run.end(BuildResult::Cancelled, "the build was cancelled");
        }
        Ok(())
    }

    async fn forget_build(&self, build: BuildId) -> Result<(), EngineError> {
        let run = self.call(Operation::ForgetBuild)?.remove_run(build);
        if let Some(run) = run {
            run.end(BuildResult::Cancelled, "the build was forgotten");
        }
        Ok(())
    }

    async fn kept_builds(&self) -> Result<Vec<BuildId>, EngineError> {
        Ok(self.call(Operation::KeptBuilds)?.kept_builds())
    }

    async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError> {
        self.call(Operation::RemoveBuilds)?.remove_builds(builds);
        Ok(())
    }

    async fn run_task(
        &self,
        request: &TaskRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<TaskReport, EngineError> {
        let run = {
            let mut state = self.call(Operation::RunTask)?;
            if let Some(run) = state.task(request.task) {
                run
            } else {
                let script = state.begin_task(request).ok_or_else(not_built)?;
                let run = TaskRun::begin(script, request, Arc::clone(&self.inner));
                state.insert_task(request.task, &run);
                run
            }
        };
        Ok(run.output().read(from, &lines).await)
    }

    async fn cancel_task(&self, task: TaskId) -> Result<(), EngineError> {
        let run = self.call(Operation::CancelTask)?.task(task);
        if let Some(run) = run {
            run.end(TaskResult::Cancelled, "the task was cancelled");
        }
        Ok(())
    }

    async fn forget_task(&self, task: TaskId) -> Result<(), EngineError> {
        let run = self.call(Operation::ForgetTask)?.remove_task(task);
        if let Some(run) = run {
            run.end(TaskResult::Cancelled, "the task was forgotten");
        }
        Ok(())
    }

    async fn kept_tasks(&self) -> Result<Vec<TaskId>, EngineError> {
        Ok(self.call(Operation::KeptTasks)?.kept_tasks())
    }

    async fn start(&self, request: &AppRequest) -> Result<RunningApp, EngineError> {
        let app = {
            let mut state = self.call(Operation::Start)?;
            let there = state.app(request.deployment).filter(|app| !app.has_ended());
            if let Some(app) = there {
                app
            } else {
                let (script, address) = state.begin_app(request.build).ok_or_else(not_built)?;
                state.nodes.place(request.deployment)?;
                let app = AppRun::begin(script, address, request, Arc::clone(&self.inner));
                state.insert_app(request.deployment, &app);
                app
            }
        };
        app.until_healthy().await
    }

    async fn stop(&self, deployment: DeploymentId, _grace: Duration) -> Result<(), EngineError> {
        let app = self.call(Operation::Stop)?.remove_app(deployment);
        if let Some(app) = app {
            app.stop("the app was stopped");
            self.inner.changed(deployment);
        }
        Ok(())
    }

    async fn observe(&self) -> Result<Vec<ObservedApp>, EngineError> {
        let state = self.call(Operation::Observe)?;
        Ok(state.apps().map(AppRun::observed).collect())
    }

    async fn follow(
        &self,
        deployment: DeploymentId,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<(), EngineError> {
        let app = self.call(Operation::Follow)?.app(deployment);
        if let Some(app) = app {
            app.output().read(from, &lines).await;
        }
        Ok(())
    }

    fn changes(&self) -> broadcast::Receiver<DeploymentId> {
        self.inner.changes.subscribe()
    }

    async fn nodes(&self) -> Result<Vec<ObservedNode>, EngineError> {
        let state = self.call(Operation::Nodes)?;
        Ok(state.nodes.observed(&state.running_apps()))
    }

    async fn admission(&self) -> Result<Admission, EngineError> {
        self.call(Operation::Admission)?.nodes.admission()
    }

    async fn rotate_admission(&self) -> Result<Admission, EngineError> {
        self.call(Operation::RotateAdmission)?.nodes.rotate()
    }

    async fn set_availability(
        &self,
        node: &NodeName,
        availability: Availability,
    ) -> Result<(), EngineError> {
        let moved =
            self.call(Operation::SetAvailability)?.nodes.set_availability(node, availability)?;
        self.tell(&moved);
        Ok(())
    }

    async fn remove_node(&self, node: &NodeName) -> Result<(), EngineError> {
        self.call(Operation::RemoveNode)?.nodes.remove(node)
    }
}

fn not_built() -> EngineError {
    EngineError::Refused("the build is not there any more".to_owned())
}
