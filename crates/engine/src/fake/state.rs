//! What the engine remembers.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use windlass_domain::{BranchName, BuildId, CommitId, DeploymentId, GitUrl, Hook};

use super::{
    Fault, Operation,
    app::AppRun,
    build::BuildRun,
    nodes::Nodes,
    script::{AppScript, BuildScript, TaskScript},
    task::TaskRun,
};
use crate::{AppState, BuildRequest, SourceCredential, SourceFile, TaskId, TaskRequest};

/// The first port that an app is said to listen on.
const FIRST_PORT: u16 = 20_000;

#[derive(Default)]
pub(super) struct State {
    branches: HashMap<(String, BranchName), CommitId>,
    files: HashMap<(CommitId, String), Vec<u8>>,
    asked: Vec<(String, Option<SourceCredential>)>,
    build_scripts: HashMap<CommitId, BuildScript>,
    app_scripts: HashMap<CommitId, AppScript>,
    task_scripts: HashMap<(CommitId, Hook), TaskScript>,
    runs: HashMap<BuildId, Arc<BuildRun>>,
    requests: HashMap<BuildId, BuildRequest>,
    run_counts: HashMap<BuildId, usize>,
    built: HashSet<BuildId>,
    apps: BTreeMap<DeploymentId, Arc<AppRun>>,
    tasks: BTreeMap<TaskId, Arc<TaskRun>>,
    tasks_run: Vec<TaskRequest>,
    started: u16,
    faults: HashMap<Operation, VecDeque<Fault>>,
    calls: HashMap<Operation, usize>,
    pub(super) nodes: Nodes,
}

impl State {
    pub(super) fn push(&mut self, source: &GitUrl, branch: &BranchName, commit: &CommitId) {
        self.branches.insert((source.as_str().to_owned(), branch.clone()), commit.clone());
    }

    pub(super) fn resolve(&self, source: &GitUrl, branch: &BranchName) -> Option<CommitId> {
        self.branches.get(&(source.as_str().to_owned(), branch.clone())).cloned()
    }

    pub(super) fn asked(&mut self, source: &GitUrl, credential: Option<&SourceCredential>) {
        self.asked.push((source.as_str().to_owned(), credential.cloned()));
    }

    pub(super) fn asked_as(&self, source: &GitUrl) -> Vec<Option<SourceCredential>> {
        let asked = self.asked.iter().filter(|(asked, _)| asked == source.as_str());
        asked.map(|(_, credential)| credential.clone()).collect()
    }

    pub(super) fn commit_file(&mut self, commit: &CommitId, name: &str, text: &str) {
        self.files.insert((commit.clone(), name.to_owned()), text.as_bytes().to_vec());
    }

    pub(super) fn first_file(&self, commit: &CommitId, names: &[&str]) -> Option<SourceFile> {
        names.iter().find_map(|name| {
            let name = (*name).to_owned();
            let bytes = self.files.get(&(commit.clone(), name.clone()))?.clone();
            Some(SourceFile { name, bytes })
        })
    }

    pub(super) fn script_build(&mut self, commit: &CommitId, script: BuildScript) {
        self.build_scripts.insert(commit.clone(), script);
    }

    pub(super) fn script_app(&mut self, commit: &CommitId, script: AppScript) {
        self.app_scripts.insert(commit.clone(), script);
    }

    pub(super) fn script_task(&mut self, commit: &CommitId, hook: Hook, script: TaskScript) {
        self.task_scripts.insert((commit.clone(), hook), script);
    }

    pub(super) fn fail_next(&mut self, operation: Operation, fault: Fault, times: usize) {
        self.faults.entry(operation).or_default().extend(std::iter::repeat_n(fault, times));
    }

    /// Counts a call; the fault that it ends with, if it is to fail.
    pub(super) fn call(&mut self, operation: Operation) -> Option<Fault> {
        *self.calls.entry(operation).or_default() += 1;
        self.faults.get_mut(&operation)?.pop_front()
    }

    pub(super) fn calls(&self, operation: Operation) -> usize {
        self.calls.get(&operation).copied().unwrap_or_default()
    }

    /// The script of a build that begins now.
    pub(super) fn begin_build(&mut self, request: &BuildRequest) -> BuildScript {
        *self.run_counts.entry(request.build).or_default() += 1;
        self.requests.insert(request.build, request.clone());
        self.build_scripts.get(&request.commit).cloned().unwrap_or_default()
    }

    pub(super) fn insert_run(&mut self, build: BuildId, run: &Arc<BuildRun>) {
        self.runs.insert(build, Arc::clone(run));
    }

    pub(super) fn run(&self, build: BuildId) -> Option<Arc<BuildRun>> {
        self.runs.get(&build).cloned()
    }

    pub(super) fn remove_run(&mut self, build: BuildId) -> Option<Arc<BuildRun>> {
        self.runs.remove(&build)
    }

    pub(super) fn all_runs(&self) -> Vec<Arc<BuildRun>> {
        self.runs.values().cloned().collect()
    }

    pub(super) fn runs(&self, build: BuildId) -> usize {
        self.run_counts.get(&build).copied().unwrap_or_default()
    }

    pub(super) fn build_request(&self, build: BuildId) -> Option<BuildRequest> {
        self.requests.get(&build).cloned()
    }

    pub(super) fn built(&mut self, build: BuildId) {
        self.built.insert(build);
    }

    pub(super) fn is_built(&self, build: BuildId) -> bool {
        self.built.contains(&build)
    }

    pub(super) fn kept_builds(&self) -> Vec<BuildId> {
        self.built.iter().copied().collect()
    }

    pub(super) fn remove_builds(&mut self, builds: &[BuildId]) {
        let used: Vec<BuildId> = self.tasks.values().filter_map(|task| task.uses()).collect();
        self.built.retain(|build| !builds.contains(build) || used.contains(build));
    }

    pub(super) fn forget_everything(&mut self) {
        self.runs.clear();
        self.tasks.clear();
        self.built.clear();
    }

    /// The script and the address of an app that starts now, if its build is there.
    pub(super) fn begin_app(&mut self, build: BuildId) -> Option<(AppScript, SocketAddr)> {
        let commit = self.built_commit(build)?;
        let script = self.app_scripts.get(commit).cloned().unwrap_or_default();
        let port = FIRST_PORT.wrapping_add(self.started);
        self.started = self.started.wrapping_add(1);
        let address = script.address.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into());
        Some((script, address))
    }

    pub(super) fn insert_app(&mut self, deployment: DeploymentId, app: &Arc<AppRun>) {
        self.apps.insert(deployment, Arc::clone(app));
    }

    pub(super) fn app(&self, deployment: DeploymentId) -> Option<Arc<AppRun>> {
        self.apps.get(&deployment).cloned()
    }

    pub(super) fn remove_app(&mut self, deployment: DeploymentId) -> Option<Arc<AppRun>> {
        self.nodes.leave(deployment);
        self.apps.remove(&deployment)
    }

    pub(super) fn apps(&self) -> impl Iterator<Item = &AppRun> {
        self.apps.values().map(|app| &**app)
    }

    pub(super) fn running_apps(&self) -> Vec<DeploymentId> {
        let apps = self.apps().map(AppRun::observed);
        let running = apps.filter(|app| matches!(app.state, AppState::Running(_)));
        running.map(|app| app.deployment).collect()
    }

    pub(super) fn take_apps(&mut self) -> BTreeMap<DeploymentId, Arc<AppRun>> {
        self.nodes.leave_all();
        std::mem::take(&mut self.apps)
    }

    /// The script of a task that begins now, if its build is there.
    pub(super) fn begin_task(&mut self, request: &TaskRequest) -> Option<TaskScript> {
        let key = (self.built_commit(request.build)?.clone(), request.task.hook);
        self.tasks_run.push(request.clone());
        Some(self.task_scripts.get(&key).cloned().unwrap_or_default())
    }

    pub(super) fn tasks_run(&self) -> &[TaskRequest] {
        &self.tasks_run
    }

    pub(super) fn insert_task(&mut self, task: TaskId, run: &Arc<TaskRun>) {
        self.tasks.insert(task, Arc::clone(run));
    }

    pub(super) fn task(&self, task: TaskId) -> Option<Arc<TaskRun>> {
        self.tasks.get(&task).cloned()
    }

    pub(super) fn remove_task(&mut self, task: TaskId) -> Option<Arc<TaskRun>> {
        self.tasks.remove(&task)
    }

    pub(super) fn kept_tasks(&self) -> Vec<TaskId> {
        self.tasks.keys().copied().collect()
    }

    pub(super) fn all_tasks(&self) -> Vec<Arc<TaskRun>> {
        self.tasks.values().cloned().collect()
    }

    fn built_commit(&self, build: BuildId) -> Option<&CommitId> {
        let request = self.requests.get(&build)?;
        self.is_built(build).then_some(&request.commit)
    }
}
