//! The containers in which the steps of a build run, one after another.
//!
//! They have no labels, so they are known by their parent among the control groups, which nothing
//! else of the daemon's has. What a command prints is never believed.

use std::time::Duration;

use bollard::{
    Docker,
    errors::Error,
    models::{ContainerInspectResponse, ContainerSummary},
    query_parameters::{
        InspectContainerOptions, ListContainersOptions, RemoveContainerOptions, StatsOptions,
    },
};
use futures_util::StreamExt as _;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::daemon::found;

/// How long the daemon may take to end what it was not asked for any more.
const END: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What every container that a swarm has made is labelled with.
const OF_A_SWARM: &str = "com.docker.swarm.task";

/// How often a step is looked at: what it uses, and how much disk space it takes, for which Docker
/// adds up its files.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_AT_DISK: u32 = 3;

/// What steps have used, as far as the daemon has shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// CPU time of all of them, in microseconds. What a step used after the last look is not seen.
    pub(super) cpu_micros: u64,
    /// The most memory that one of them used, in bytes.
    pub(super) peak_memory_bytes: u64,
    /// The disk space of the one that runs, in bytes.
    pub(super) disk_bytes: u64,
}

/// Somebody looks at the steps. Whoever reads what they print cannot: the daemon may not answer
/// before that was read.
pub(super) struct Steps {
    docker: Docker,
    parent: String,
    enter: mpsc::UnboundedSender<String>,
    used: watch::Receiver<Used>,
    watcher: JoinHandle<()>,
}

impl Steps {
    /// Begins to look; `measures` where nothing else does.
    pub(super) fn watch(docker: Docker, parent: String, measures: bool) -> Self {
        let (enter, entered) = mpsc::unbounded_channel();
        let (tell, used) = watch::channel(Used::default());
        let watcher =
            Watcher { docker: docker.clone(), parent: parent.clone(), measures, current: None };
        let watcher = tokio::spawn(watcher.run(entered, tell));
        Self { docker, parent, enter, used, watcher }
    }

    /// A step is said to run in this container.
    pub(super) fn enter(&self, container: String) {
        // Where nobody looks any more, the build is about to end.
        let _ = self.enter.send(container);
    }

    pub(super) fn used(&self) -> Used {
        *self.used.borrow()
    }

    /// Ends what is left of a build whose request has ended.
    pub(super) async fn end(&self) -> Result<(), Error> {
        self.watcher.abort();
        end_children(&self.docker, &self.parent).await
    }
}

struct Watcher {
    docker: Docker,
    parent: String,
    measures: bool,
    current: Option<Step>,
}

/// A container that is looked at.
pub(super) struct Step {
    container: String,
    cpu_micros: u64,
}

impl Step {
    pub(super) fn new(container: String) -> Self {
        Self { container, cpu_micros: 0 }
    }

    pub(super) fn cpu_micros(&self) -> u64 {
        self.cpu_micros
    }
}

impl Watcher {
    async fn run(
        mut self,
        mut entered: mpsc::UnboundedReceiver<String>,
        tell: watch::Sender<Used>,
    ) {
        let mut past_micros = 0;
        let mut looks: u32 = 0;
        let mut tick = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                container = entered.recv() => {
                    let Some(container) = container else { return };
                    if self.is_ours(&container).await {
                        let step = Step::new(container);
                        past_micros += self.current.replace(step).map_or(0, |it| it.cpu_micros);
                    }
                }
                _ = tick.tick() => {
                    let mut used = *tell.borrow();
                    if let Some(step) = &mut self.current {
                        if self.measures {
                            look(&self.docker, step, &mut used).await;
                            used.cpu_micros = past_micros + step.cpu_micros;
                        }
                        looks = looks.wrapping_add(1);
                        if looks.is_multiple_of(LOOK_AT_DISK) {
                            used.disk_bytes = disk_bytes(&self.docker, step).await;
                        }
                    }
                    tell.send_replace(used);
                }
            }
        }
    }

    async fn is_ours(&self, container: &str) -> bool {
        let seen = self.docker.inspect_container(container, None::<InspectContainerOptions>).await;
        seen.is_ok_and(|seen| has_parent(&seen, &self.parent))
    }
}

/// Looks at what a container has used.
pub(super) async fn look(docker: &Docker, step: &mut Step, used: &mut Used) {
    let options = StatsOptions { stream: false, one_shot: true };
    let mut stats = docker.stats(&step.container, Some(options));
    let Some(Ok(stats)) = stats.next().await else { return };
    let nanos = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage?.total_usage).unwrap_or(0);
    step.cpu_micros = step.cpu_micros.max(nanos / 1_000);
    let memory = stats.memory_stats.unwrap_or_default();
    let most = memory.max_usage.max(memory.usage).unwrap_or(0);
    used.peak_memory_bytes = used.peak_memory_bytes.max(most);
}

async fn disk_bytes(docker: &Docker, step: &Step) -> u64 {
    let options = Some(InspectContainerOptions { size: true });
    let seen = docker.inspect_container(&step.container, options).await;
    let bytes = seen.ok().and_then(|seen| seen.size_rw);
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
}

/// Ends all containers of a parent. The daemon ends them by itself, in its own time.
pub(crate) async fn end_children(docker: &Docker, parent: &str) -> Result<(), Error> {
    let deadline = Instant::now() + END;
    loop {
        let children = children(docker, parent).await?;
        if children.is_empty() {
            return Ok(());
        }
        for child in &children {
            let options = RemoveContainerOptions { force: true, v: true, link: false };
            let removed = docker.remove_container(child, Some(options)).await;
            // Conflicts (409) are those with the daemon, which removes it itself.
            if let Err(error) = found(removed)
                && Instant::now() > deadline
            {
                return Err(error);
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn children(docker: &Docker, parent: &str) -> Result<Vec<String>, Error> {
    let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
    let all = docker.list_containers(Some(options)).await?;
    let is_of_a_swarm = |it: &ContainerSummary| {
        it.labels.as_ref().is_some_and(|labels| labels.contains_key(OF_A_SWARM))
    };
    let mut found_children = Vec::new();
    for id in all.into_iter().filter(|it| !is_of_a_swarm(it)).filter_map(|it| it.id) {
        let seen = docker.inspect_container(&id, None::<InspectContainerOptions>).await;
        if found(seen)?.is_some_and(|seen| has_parent(&seen, parent)) {
            found_children.push(id);
        }
    }
    Ok(found_children)
}

fn has_parent(container: &ContainerInspectResponse, parent: &str) -> bool {
    let actual = container.host_config.as_ref().and_then(|host| host.cgroup_parent.as_deref());
    actual == Some(parent)
}
