//! How the apps are: three questions to the swarm, however many there are.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bollard::{
    models::{self, Node, Service, Task, TaskState},
    query_parameters::{ListServicesOptions, ListTasksOptions},
};
use tokio::sync::Notify;
use windlass_domain::DeploymentId;
use windlass_engine::{AppState, EngineError, ObservedApp, RunningApp};
use windlass_engine_kit::health::{self, Way};

use super::Shared;
use crate::{
    daemon::daemon_error,
    names::{BUILD, DEPLOYMENT, ENVIRONMENT, HEALTHY, read},
};

/// How often an app that was started again is asked whether it answers.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// What the swarm showed at one moment.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) apps: HashMap<DeploymentId, App>,
    pub(super) nodes: Nodes,
}

/// A service of ours.
#[derive(Debug)]
pub(super) struct App {
    pub(super) service: Service,
    /// Its tasks, the oldest first.
    pub(super) tasks: Vec<Task>,
}

/// Which tasks have been found to be healthy since the server began.
#[derive(Debug, Default)]
pub(super) struct Health {
    tasks: Mutex<Tasks>,
    checked: Arc<Notify>,
    /// Held while somebody looks, so that what is seen later is newer.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Tasks {
    healthy: HashSet<String>,
    checking: HashSet<String>,
    /// Why they have ended, for people.
    reasons: HashMap<String, String>,
}

impl Health {
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn found_healthy(&self, task: &str) {
        self.lock().healthy.insert(task.to_owned());
    }

    /// Waits until something is found to be healthy in the background.
    pub(super) fn checked(&self) -> impl Future<Output = ()> + Send + 'static {
        let checked = Arc::clone(&self.checked);
        async move { checked.notified().await }
    }
}

impl App {
    fn labels(&self) -> Option<&HashMap<String, String>> {
        self.service.spec.as_ref()?.labels.as_ref()
    }

    /// Whether it has ever been healthy, and which task was.
    fn healthy(&self) -> Option<&str> {
        self.labels()?.get(HEALTHY).map(String::as_str)
    }

    /// Whether the swarm does not start it again.
    pub(super) fn is_given_up(&self) -> bool {
        let is_wanted = |task: &Task| {
            !task.desired_state.is_some_and(is_over) && !task_state(task).is_some_and(is_over)
                || task.desired_state.is_some_and(|state| !is_over(state))
        };
        !self.tasks.is_empty() && !self.tasks.iter().any(is_wanted)
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| has_ended(task))
    }
}

/// Whether a task will not run any more.
pub(super) fn is_over(state: TaskState) -> bool {
    match state {
        TaskState::COMPLETE
        | TaskState::SHUTDOWN
        | TaskState::FAILED
        | TaskState::REJECTED
        | TaskState::REMOVE
        | TaskState::ORPHANED => true,
        TaskState::NEW
        | TaskState::ALLOCATED
        | TaskState::PENDING
        | TaskState::ASSIGNED
        | TaskState::ACCEPTED
        | TaskState::PREPARING
        | TaskState::READY
        | TaskState::STARTING
        | TaskState::RUNNING => false,
    }
}

pub(super) fn task_state(task: &Task) -> Option<TaskState> {
    task.status.as_ref()?.state
}

pub(super) fn has_ended(task: &Task) -> bool {
    task_state(task).is_some_and(is_over)
}

pub(super) fn runs(task: &Task) -> bool {
    task_state(task) == Some(TaskState::RUNNING) && task.desired_state == Some(TaskState::RUNNING)
}

/// The nodes of the swarm: where they are, and which are lost.
#[derive(Debug, Default)]
pub(super) struct Nodes(HashMap<String, (Option<IpAddr>, bool)>);

impl Nodes {
    fn new(nodes: Vec<Node>, is_here: bool) -> Self {
        let place = |node: Node| {
            let is_down = node.status.as_ref().and_then(|status| status.state)
                == Some(models::NodeState::DOWN);
            Some((node.id.clone()?, (address_of(&node, is_here), is_down)))
        };
        Self(nodes.into_iter().filter_map(place).collect())
    }

    fn address(&self, node: &str) -> Option<IpAddr> {
        self.0.get(node)?.0
    }

    /// Whether nobody will say any more how this task ended: its node is down or was removed.
    pub(super) fn has_lost(&self, task: &Task) -> bool {
        let node = task.node_id.as_ref();
        node.is_some_and(|node| self.0.get(node).is_none_or(|(_, is_down)| *is_down))
    }
}

/// Where a task that runs can be reached.
///
/// Docker names the port once for IPv4 and then once for IPv6, without saying which is which. They
/// are given out apart, so that the other one may well be somebody else's in the node's own version.
pub(super) fn address(task: &Task, nodes: &Nodes) -> Option<SocketAddr> {
    let node = nodes.address(task.node_id.as_ref()?)?;
    let ports = task.status.as_ref()?.port_status.as_ref()?.ports.as_ref()?;
    let mut ports = ports.iter().filter_map(|port| u16::try_from(port.published_port?).ok());
    let port = if node.is_ipv4() { ports.next() } else { ports.next_back() };
    Some(SocketAddr::new(node, port?))
}

/// Where a node is. A manager may not know its own address, which is no other than that of this
/// machine where the daemon is here; workers are where they have joined from.
pub(super) fn address_of(node: &Node, is_here: bool) -> Option<IpAddr> {
    let said = node.status.as_ref().and_then(|status| status.addr.as_deref()?.parse().ok());
    let managers = || node.manager_status.as_ref()?.addr.as_deref()?.parse::<SocketAddr>().ok();
    let known = |ip: &IpAddr| !ip.is_unspecified();
    let is_manager = node.manager_status.is_some();
    let here = (is_here && is_manager).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    said.filter(known).or_else(|| managers().map(|address| address.ip()).filter(known)).or(here)
}

impl Shared {
    pub(super) async fn look(&self) -> Result<Arc<Seen>, EngineError> {
        let _guard = self.health.looking.lock().await;
        let docker = self.daemon.docker().await?;
        let filters = Some(self.config.namespace.filter(None));
        let tasks = ListTasksOptions { filters: filters.clone() };
        let services = ListServicesOptions { filters, status: None };
        let (services, tasks) =
            tokio::try_join!(docker.list_services(Some(services)), docker.list_tasks(Some(tasks)),)
                .map_err(daemon_error("looking at the swarm"))?;
        let nodes = self.nodes().await?;

        let mut by_service: HashMap<String, Vec<Task>> = HashMap::new();
        for task in tasks {
            if let Some(service) = &task.service_id {
                by_service.entry(service.clone()).or_default().push(task);
            }
        }
        let apps = services.into_iter().filter_map(|service| {
            let labels = service.spec.as_ref()?.labels.as_ref();
            let deployment: DeploymentId = read(labels, DEPLOYMENT)?;
            let mut tasks = by_service.remove(service.id.as_ref()?).unwrap_or_default();
            tasks.sort_by_key(|task| task.created_at);
            Some((deployment, App { service, tasks }))
        });
        let seen = Arc::new(Seen { apps: apps.collect(), nodes });
        self.forget_tasks(&seen);
        self.recorders.show(&seen);
        Ok(seen)
    }

    /// Where the nodes of the swarm are.
    pub(super) async fn nodes(&self) -> Result<Nodes, EngineError> {
        let nodes = self.list_nodes().await?;
        Ok(Nodes::new(nodes, self.config.endpoint.is_here()))
    }

    fn forget_tasks(&self, seen: &Seen) {
        let tasks = seen.apps.values().flat_map(|app| &app.tasks);
        let there: HashSet<&str> = tasks.filter_map(|task| task.id.as_deref()).collect();
        let mut known = self.health.lock();
        known.healthy.retain(|id| there.contains(id.as_str()));
        known.reasons.retain(|id, _| there.contains(id.as_str()));
    }

    pub(super) async fn observe(&self) -> Result<Vec<ObservedApp>, EngineError> {
        let seen = self.look().await?;
        Ok(self.states(&seen).await)
    }

    pub(super) async fn states(&self, seen: &Seen) -> Vec<ObservedApp> {
        let mut observed = Vec::new();
        for (deployment, app) in &seen.apps {
            let (Some(environment), Some(build)) =
                (read(app.labels(), ENVIRONMENT), read(app.labels(), BUILD))
            else {
                continue;
            };
            let state = self.state(seen, app).await;
            observed.push(ObservedApp { deployment: *deployment, environment, build, state });
        }
        observed
    }

    async fn state(&self, seen: &Seen, app: &App) -> AppState {
        if app.is_given_up() {
            let reason = match app.ended().last() {
                Some(task) => self.reason(task).await,
                None => "the app has ended".to_owned(),
            };
            return AppState::Crashed { reason };
        }
        let Some(first) = app.healthy() else { return AppState::Starting };
        let is_healthy = |task: &&Task| {
            let known = self.health.lock();
            task.id.as_ref().is_some_and(|id| id == first || known.healthy.contains(id))
        };
        let is_there = |task: &&Task| runs(task) && !seen.nodes.has_lost(task);
        let running = app.tasks.iter().filter(is_there).filter(is_healthy);
        let addresses: Vec<SocketAddr> =
            running.filter_map(|task| address(task, &seen.nodes)).collect();
        if addresses.is_empty() {
            let restarts = u32::try_from(app.ended().count()).unwrap_or(u32::MAX);
            AppState::Restarting { restarts }
        } else {
            AppState::Running(RunningApp { addresses })
        }
    }

    /// How a task ended and its last lines, for people. Asked once for each task.
    pub(super) async fn reason(&self, task: &Task) -> String {
        let id = task.id.as_deref().unwrap_or_default();
        if let Some(known) = self.health.lock().reasons.get(id) {
            return known.clone();
        }
        let reason = format!("the app ended: {}", end_of(task));
        let reason = self.with_last_lines(&reason, id).await;
        self.health.lock().reasons.insert(id.to_owned(), reason.clone());
        reason
    }

    /// Asks tasks by which the swarm has replaced healthy ones, until they answer.
    pub(super) fn check_new_tasks(self: &Arc<Self>, seen: &Arc<Seen>) {
        let ever_healthy = seen.apps.values().filter(|app| app.healthy().is_some());
        for task in ever_healthy.flat_map(|app| &app.tasks).filter(|task| runs(task)) {
            let (Some(id), Some(address)) = (&task.id, address(task, &seen.nodes)) else {
                continue;
            };
            let mut known = self.health.lock();
            if known.healthy.contains(id) || !known.checking.insert(id.clone()) {
                continue;
            }
            drop(known);
            tokio::spawn(check_until_healthy(Arc::downgrade(self), id.clone(), address));
        }
    }
}

/// Asks until it answers, or another look finds that it does not run any more.
async fn check_until_healthy(shared: std::sync::Weak<Shared>, task: String, address: SocketAddr) {
    // A connection shows that it is there again; what its path answered it has shown once.
    let is_healthy = health::check(address, Way::Forwarded, None).await.is_ok();
    if !is_healthy {
        tokio::time::sleep(ASK_EVERY).await;
    }
    let Some(shared) = shared.upgrade() else { return };
    shared.health.lock().checking.remove(&task);
    if is_healthy {
        shared.health.found_healthy(&task);
    }
    // The watch looks again, and asks again what still runs.
    shared.health.checked.notify_one();
}

/// How a task ended, in the swarm's own words.
pub(super) fn end_of(task: &Task) -> String {
    let status = task.status.as_ref();
    let said = status.and_then(|status| status.err.as_deref().or(status.message.as_deref()));
    let said = said.unwrap_or("the swarm gives no reason").trim_start_matches("task: ");
    let code = status.and_then(|status| status.container_status.as_ref()?.exit_code);
    if said.contains("No such image") {
        return format!(
            "{said} (its node cannot get the image from the registry; its Docker daemon says why)"
        );
    }
    match code {
        Some(137) => format!("{said} (it was killed; it may have needed too much memory)"),
        Some(127) => format!("{said} (a command was not found)"),
        Some(_) | None => said.to_owned(),
    }
}
