//! The engine's side that is in the server: it gives orders to supervisors and reads their files.

mod apps;
mod builds;
mod changes;
mod nodes;
mod orders;
mod recovery;
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
    faults::{git_error, internal},
    files::names,
    readers::Readers,
    runs::Runs,
    supervise::Supervisors,
    watch::{Interest, Watcher},
};
use windlass_git::Git;

use self::nodes::{alone, this_machine};
use crate::{
    config::LocalEngineConfig,
    confinement::{Confinement, is_root},
    layout::{Layout, Reachable},
    owners::Owners,
};

/// How often is looked where nothing tells.
const LOOK: Duration = Duration::from_secs(1);

/// Builds and runs on this host. Dropping it leaves builds, tasks and apps running.
#[derive(Debug)]
pub struct LocalEngine {
    shared: Arc<Shared>,
    changes: JoinHandle<()>,
}

/// What the engine's calls and its watch over apps have in common.
#[derive(Debug)]
struct Shared {
    config: LocalEngineConfig,
    layout: Layout,
    hierarchy: Hierarchy,
    confinement: Confinement,
    owners: Owners,
    git: Git,
    warnings: Vec<String>,
    /// Sees states and reports.
    names: Arc<Watcher>,
    /// Sees lines.
    contents: Arc<Watcher>,
    /// Held while something begins, so that nothing begins twice and no port is given twice.
    begin: Arc<Mutex<()>>,
    supervisors: Supervisors,
    builds: Runs<BuildRequest>,
    tasks: Runs<TaskRequest>,
    /// Of apps.
    readers: Readers,
    changes: Changes,
}

impl LocalEngine {
    /// Sets the engine up in its folder, and ends what an earlier server left that belongs to
    /// nobody. Builds, tasks and apps that run go on.
    pub async fn open(config: LocalEngineConfig) -> Result<Self, EngineError> {
        let mut warnings = Vec::new();
        let probed = Confinement::probe(config.read_only_paths.clone());
        let confinement = probed.unwrap_or_else(|reason| {
            warnings.push(format!(
                "builds and apps are not confined: they can read what their user can. {reason}"
            ));
            Confinement::Absent
        });
        let reachable = if is_root() && confinement.is_absent() {
            Reachable::ByEveryone
        } else {
            Reachable::ByUs
        };
        let layout = Layout::open(&config.folder, reachable)
            .map_err(internal("making the engine's folder"))?;
        let hierarchy = Hierarchy::probe(layout.name());
        if hierarchy.is_absent() {
            warnings.push(
                "no control groups can be made: memory is limited and CPU time is measured by \
                 looking at processes, and CPU time is not limited. Run the server as root, or \
                 delegate a control group to it (systemd: Delegate=yes)"
                    .to_owned(),
            );
        }
        let variables = config.git_environment.iter();
        let git = Git::default()
            .allow_local(config.allow_local_git)
            .environment(variables.map(|(name, value)| (name.into(), value.into())).collect())
            .timeout(Duration::from_mins(1));
        let names = Watcher::start(Interest::Names);
        let contents = Watcher::start(Interest::Contents);
        let begin = Arc::new(Mutex::new(()));
        let supervisors =
            Supervisors { program: config.supervisor.clone(), names: Arc::clone(&names) };
        let shared = Arc::new(Shared {
            owners: Owners::new(layout.owners(), config.users, is_root()),
            builds: Runs::new(
                layout.builds(),
                supervisors.clone(),
                Arc::clone(&contents),
                Arc::clone(&begin),
            ),
            tasks: Runs::new(
                layout.tasks(),
                supervisors.clone(),
                Arc::clone(&contents),
                Arc::clone(&begin),
            ),
            supervisors,
            names,
            contents,
            begin,
            readers: Readers::default(),
            changes: Changes::new(),
            config,
            layout,
            hierarchy,
            confinement,
            git,
            warnings,
        });
        shared.recover().await?;
        let changes = tokio::spawn(changes::watch(Arc::downgrade(&shared)));
        Ok(Self { shared, changes })
    }

    /// What operators should know: what is missing on this machine, and what to do about it.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.shared.warnings
    }

    /// Stops every app.
    pub async fn stop_all(&self, grace: Duration) -> Result<(), EngineError> {
        let apps = names(&self.shared.layout.apps());
        let stops = apps.into_iter().map(|deployment| self.shared.stop(deployment, grace));
        futures_util::future::join_all(stops).await.into_iter().collect()
    }
}

impl Drop for LocalEngine {
    fn drop(&mut self) {
        self.changes.abort();
    }
}

#[async_trait]
impl Engine for LocalEngine {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn check(&self) -> Result<(), EngineError> {
        self.shared.git.version().await.map_err(git_error)?;
        let supervisor = &self.shared.config.supervisor.program;
        std::fs::metadata(supervisor).map_err(internal("looking for the supervisor's program"))?;
        Ok(())
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
        Ok(self.shared.kept_builds())
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
        Ok(self.shared.tasks.kept())
    }

    async fn start(&self, request: &AppRequest) -> Result<RunningApp, EngineError> {
        self.shared.start(request).await
    }

    async fn stop(&self, deployment: DeploymentId, grace: Duration) -> Result<(), EngineError> {
        self.shared.stop(deployment, grace).await
    }

    async fn observe(&self) -> Result<Vec<ObservedApp>, EngineError> {
        Ok(self.shared.observe().await)
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
        Ok(vec![this_machine(&self.shared.observe().await)?])
    }

    async fn admission(&self) -> Result<Admission, EngineError> {
        alone()
    }

    async fn rotate_admission(&self) -> Result<Admission, EngineError> {
        alone()
    }

    async fn set_availability(&self, _: &NodeName, _: Availability) -> Result<(), EngineError> {
        alone()
    }

    async fn remove_node(&self, _: &NodeName) -> Result<(), EngineError> {
        alone()
    }
}
