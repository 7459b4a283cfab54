//! The engine's side that is in the server: it gives orders to supervisors and to the swarm.

mod apps;
mod builds;
mod changes;
mod check;
mod logs;
mod look;
mod nodes;
mod spec;
mod tasks;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    sync::{Mutex, broadcast, mpsc},
    task::JoinHandle,
};
use windlass_domain::{
    Availability, BranchName, BuildId, CommitId, DeploymentId, GitUrl, NodeName,
};
use windlass_engine::{
    Admission, AppRequest, BuildReport, BuildRequest, Engine, EngineError, EngineLine, ObservedApp,
    ObservedNode, RunningApp, SourceAt, SourceCredential, SourceFile, TaskId, TaskReport,
    TaskRequest,
};
use windlass_engine_kit::{
    cgroup::Hierarchy,
    changes::Changes,
    checkout::{read_first, resolve},
    faults::internal,
    files::make_folder,
    runs::Runs,
    supervise::Supervisors,
    watch::{Interest, Watcher},
};
use windlass_git::Git;

pub(crate) use self::check::OLDEST;
use self::{logs::Recorders, look::Health};
use crate::{config::SwarmEngineConfig, daemon::Daemon};

/// Builds with Docker and runs on its swarm. Dropping it leaves builds, tasks and apps running.
#[derive(Debug)]
pub struct SwarmEngine {
    shared: Arc<Shared>,
    changes: JoinHandle<()>,
}

/// What the engine's calls and its watch over apps have in common.
#[derive(Debug)]
struct Shared {
    config: SwarmEngineConfig,
    daemon: Daemon,
    hierarchy: Hierarchy,
    git: Git,
    /// Sees lines.
    contents: Arc<Watcher>,
    /// Held while something begins, so that nothing is removed that is about to be used.
    begin: Arc<Mutex<()>>,
    builds: Runs<BuildRequest>,
    tasks: Runs<TaskRequest>,
    health: Health,
    recorders: Recorders,
    changes: Changes,
}

impl SwarmEngine {
    /// Sets the engine up in its folder. Builds, tasks and apps that run go on. The daemon may be away:
    /// [`Engine::check`] tells.
    pub async fn open(config: SwarmEngineConfig) -> Result<Self, EngineError> {
        let failed = || internal("making the engine's folder");
        make_folder(&config.folder, 0o700).map_err(failed())?;
        let folder = config.folder.canonicalize().map_err(failed())?;
        let [builds, tasks, apps] = ["builds", "tasks", "apps"].map(|name| folder.join(name));
        for folder in [&builds, &tasks, &apps] {
            make_folder(folder, 0o700).map_err(failed())?;
        }
        let variables = config.git_environment.iter();
        let git = Git::default()
            .allow_local(config.allow_local_git)
            .environment(variables.map(|(name, value)| (name.into(), value.into())).collect())
            .timeout(Duration::from_mins(1));
        let names = Watcher::start(Interest::Names);
        let contents = Watcher::start(Interest::Contents);
        let begin = Arc::new(Mutex::new(()));
        let supervisors = Supervisors { program: config.supervisor.clone(), names };
        let shared = Arc::new(Shared {
            daemon: Daemon::new(config.endpoint.clone()),
            hierarchy: Hierarchy::probe(&builds::group_name(&config.namespace)),
            git,
            builds: Runs::new(
                builds,
                supervisors.clone(),
                Arc::clone(&contents),
                Arc::clone(&begin),
            ),
            tasks: Runs::new(tasks, supervisors, Arc::clone(&contents), Arc::clone(&begin)),
            contents,
            begin,
            health: Health::default(),
            recorders: Recorders::new(apps),
            changes: Changes::new(),
            config,
        });
        // Without the daemon, those that ask for a build or a task learn of it then.
        let (builds, tasks) =
            (shared.builds.recover(&*shared).await, shared.tasks.recover(&*shared).await);
        if let Err(error) = builds.and(tasks) {
            tracing::warn!(%error, "cannot look after what was interrupted");
        }
        let changes = tokio::spawn(changes::watch(Arc::downgrade(&shared)));
        Ok(Self { shared, changes })
    }

    /// What operators should know: what is missing on this swarm, and what to do about it.
    pub async fn warnings(&self) -> Vec<String> {
        self.shared.warnings().await
    }

    /// Stops every app.
    pub async fn stop_all(&self, grace: Duration) -> Result<(), EngineError> {
        let apps = self.shared.observe().await?;
        let stops = apps.into_iter().map(|app| self.shared.stop(app.deployment, grace));
        futures_util::future::join_all(stops).await.into_iter().collect()
    }
}

impl Drop for SwarmEngine {
    fn drop(&mut self) {
        self.changes.abort();
    }
}

#[async_trait]
impl Engine for SwarmEngine {
    fn name(&self) -> &'static str {
        "swarm"
    }

    async fn check(&self) -> Result<(), EngineError> {
        self.shared.check().await
    }

    async fn resolve(
        &self,
        source: &GitUrl,
        branch: &BranchName,
        credential: Option<&SourceCredential>,
    ) -> Result<CommitId, EngineError> {
        resolve(&self.shared.git, source, branch, credential).await
    }

    async fn read_first(
        &self,
        source: SourceAt<'_>,
        names: &[&str],
        most: usize,
    ) -> Result<Option<SourceFile>, EngineError> {
        read_first(&self.shared.git, source, names, most).await
    }

    async fn build(
        &self,
        request: &BuildRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<BuildReport, EngineError> {
        self.shared.builds.run(&*self.shared, request, from, lines).await
    }

    async fn cancel_build(&self, build: BuildId) -> Result<(), EngineError> {
        self.shared.builds.cancel(build).await
    }

    async fn forget_build(&self, build: BuildId) -> Result<(), EngineError> {
        self.shared.builds.forget(&*self.shared, build).await
    }

    async fn kept_builds(&self) -> Result<Vec<BuildId>, EngineError> {
        self.shared.kept_builds().await
    }

    async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError> {
        self.shared.remove_builds(builds).await
    }

    async fn run_task(
        &self,
        request: &TaskRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<TaskReport, EngineError> {
        self.shared.tasks.run(&*self.shared, request, from, lines).await
    }

    async fn cancel_task(&self, task: TaskId) -> Result<(), EngineError> {
        self.shared.tasks.cancel(task).await
    }

    async fn forget_task(&self, task: TaskId) -> Result<(), EngineError> {
        self.shared.forget_task(task).await
    }

    async fn kept_tasks(&self) -> Result<Vec<TaskId>, EngineError> {
        self.shared.kept_tasks().await
    }

    async fn start(&self, request: &AppRequest) -> Result<RunningApp, EngineError> {
        self.shared.start(request).await
    }

    async fn stop(&self, deployment: DeploymentId, grace: Duration) -> Result<(), EngineError> {
        self.shared.stop(deployment, grace).await
    }

    async fn observe(&self) -> Result<Vec<ObservedApp>, EngineError> {
        self.shared.observe().await
    }

    async fn follow(
        &self,
        deployment: DeploymentId,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<(), EngineError> {
        self.shared.follow(deployment, from, lines).await
    }

    fn changes(&self) -> broadcast::Receiver<DeploymentId> {
        self.shared.changes.subscribe()
    }

    async fn nodes(&self) -> Result<Vec<ObservedNode>, EngineError> {
        self.shared.observe_nodes().await
    }

    async fn admission(&self) -> Result<Admission, EngineError> {
        self.shared.admission().await
    }

    async fn rotate_admission(&self) -> Result<Admission, EngineError> {
        self.shared.rotate_admission().await
    }

    async fn set_availability(
        &self,
        node: &NodeName,
        availability: Availability,
    ) -> Result<(), EngineError> {
        self.shared.set_availability(node, availability).await
    }

    async fn remove_node(&self, node: &NodeName) -> Result<(), EngineError> {
        self.shared.remove_node(node).await
    }
}
