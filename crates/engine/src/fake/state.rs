//! What the engine remembers.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use windlass_domain::{BranchName, BuildId, CommitId, DeploymentId, GitUrl};

use super::{
    Fault, Operation,
    app::AppRun,
    build::BuildRun,
    script::{AppScript, BuildScript},
};
use crate::{BuildRequest, SourceFile};

/// The first port that an app is said to listen on.
const FIRST_PORT: u16 = 20_000;

#[derive(Default)]
pub(super) struct State {
    branches: HashMap<(String, BranchName), CommitId>,
    files: HashMap<(CommitId, String), Vec<u8>>,
    build_scripts: HashMap<CommitId, BuildScript>,
    app_scripts: HashMap<CommitId, AppScript>,
    runs: HashMap<BuildId, Arc<BuildRun>>,
    requests: HashMap<BuildId, BuildRequest>,
    run_counts: HashMap<BuildId, usize>,
    built: HashSet<BuildId>,
    apps: BTreeMap<DeploymentId, Arc<AppRun>>,
    started: u16,
    faults: HashMap<Operation, VecDeque<Fault>>,
    calls: HashMap<Operation, usize>,
}

impl State {
    pub(super) fn push(&mut self, source: &GitUrl, branch: &BranchName, commit: &CommitId) {
        self.branches.insert((source.as_str().to_owned(), branch.clone()), commit.clone());
    }

    pub(super) fn resolve(&self, source: &GitUrl, branch: &BranchName) -> Option<CommitId> {
        self.branches.get(&(source.as_str().to_owned(), branch.clone())).cloned()
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
        self.built.retain(|build| !builds.contains(build));
    }

    pub(super) fn forget_builds(&mut self) {
        self.runs.clear();
        self.built.clear();
    }

    /// The script and the address of an app that starts now, if its build is there.
    pub(super) fn begin_app(&mut self, build: BuildId) -> Option<(AppScript, SocketAddr)> {
        if !self.is_built(build) {
            return None;
        }
        let commit = &self.requests.get(&build)?.commit;
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
        self.apps.remove(&deployment)
    }

    pub(super) fn apps(&self) -> impl Iterator<Item = &AppRun> {
        self.apps.values().map(|app| &**app)
    }

    pub(super) fn take_apps(&mut self) -> BTreeMap<DeploymentId, Arc<AppRun>> {
        std::mem::take(&mut self.apps)
    }
}
