//! What apps print: kept by Docker, numbered here.
//!
//! Docker's logs have no numbers, and parts of them vanish with old tasks. So lines are copied into
//! a spool, once, where they keep the numbers that they were given; each says which line of
//! Docker's it is, so that a restarted server goes on behind the last one. A server that has no
//! spool of an app begins with the oldest line that Docker has.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use bollard::{
    Docker, container::LogOutput, errors::Error, models::Task, query_parameters::LogsOptions,
};
use futures_util::{Stream, StreamExt as _};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use windlass_domain::{DeploymentId, LogText};
use windlass_engine::{EngineError, EngineLine};
use windlass_engine_kit::{
    faults::internal,
    files::{make_folder, remove},
    readers::Readers,
    runs::send,
    spool::{Policy, Reader, Spool, begin_at},
};

use super::{
    Shared,
    look::{App, Seen, has_ended, runs},
};
use crate::{
    lines::{Place, Taker, places},
    names::{FIRST_LINE, read},
};

/// How often is looked where nothing tells.
const LOOK: Duration = Duration::from_secs(1);
/// How long the last lines of a task that has ended may take to come.
const LAST_LINES: Duration = Duration::from_millis(300);
/// How many lines explain an end.
const EXPLAIN: &str = "20";
/// Lines that come together are written together.
const TOGETHER: usize = 256;
/// How much of an app's log is kept here, where its service does not say how much Docker keeps.
const USUAL_BYTES: u64 = 1024 * 1024;

type Shown = Option<Arc<Seen>>;

/// The spools of apps, and who fills them.
#[derive(Debug)]
pub(super) struct Recorders {
    folder: PathBuf,
    shown: watch::Sender<Shown>,
    readers: Readers,
    active: Mutex<HashMap<DeploymentId, Weak<Recording>>>,
}

/// Somebody copies an app's lines, for as long as this is held.
#[derive(Debug)]
struct Recording {
    done: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Recorders {
    pub(super) fn new(folder: PathBuf) -> Self {
        let (shown, _) = watch::channel(None);
        Self { folder, shown, readers: Readers::default(), active: Mutex::default() }
    }

    /// What the swarm shows now.
    pub(super) fn show(&self, seen: &Arc<Seen>) {
        self.shown.send_replace(Some(Arc::clone(seen)));
    }

    fn folder(&self, deployment: DeploymentId) -> PathBuf {
        self.folder.join(deployment.to_string())
    }
}

impl Shared {
    pub(super) async fn follow(
        &self,
        deployment: DeploymentId,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<(), EngineError> {
        let folder = self.recorders.folder(deployment);
        let seen = self.look().await?;
        let app = seen.apps.get(&deployment);
        if app.is_none() && !folder.is_dir() {
            return Ok(());
        }
        let _reading = self.recorders.readers.enter(&folder).await;
        let recording = self.record(deployment, app, &folder).await?;
        let mut done = recording.done.clone();
        let mut reader = Reader::new(&folder, from);
        let mut wake = self.contents.watch(&folder);
        loop {
            // In this order: what is there after its end is all there is.
            let has_ended = *done.borrow_and_update();
            send(&mut reader, &lines).await?;
            if has_ended || lines.is_closed() {
                return Ok(());
            }
            tokio::select! {
                () = wake.wait(LOOK) => {}
                _ = done.changed() => {}
                () = lines.closed() => {}
            }
        }
    }

    /// Has the lines of an app copied, by one for all.
    async fn record(
        &self,
        deployment: DeploymentId,
        app: Option<&App>,
        folder: &Path,
    ) -> Result<Arc<Recording>, EngineError> {
        let docker = self.daemon.docker().await?.clone();
        let failed = || internal("copying the log of an app");
        let mut active = self.recorders.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.retain(|_, recording| 0 < recording.strong_count());
        if let Some(recording) = active.get(&deployment).and_then(Weak::upgrade) {
            return Ok(recording);
        }
        if !folder.is_dir() {
            make_folder(folder, 0o700).map_err(failed())?;
            let labels = app.and_then(|app| app.service.spec.as_ref()?.labels.as_ref());
            let first_line = read(labels, FIRST_LINE).unwrap_or(0);
            begin_at(folder, first_line).map_err(failed())?;
        }
        let bytes = app.and_then(kept_bytes).unwrap_or(USUAL_BYTES);
        let spool = Spool::open(folder, Policy::DropOld { bytes }).map_err(failed())?;
        let (tell, done) = watch::channel(false);
        let copier = Copier {
            docker,
            shown: self.recorders.shown.subscribe(),
            deployment,
            places: places(folder),
            spool,
        };
        let task = tokio::spawn(async move {
            copier.run().await;
            tell.send_replace(true);
        });
        let recording = Arc::new(Recording { done, task });
        active.insert(deployment, Arc::downgrade(&recording));
        Ok(recording)
    }

    /// Lets readers see the end of the log of an app that has ended, and removes it.
    pub(super) async fn finish_log(&self, deployment: DeploymentId) -> Result<(), EngineError> {
        let folder = self.recorders.folder(deployment);
        if !folder.is_dir() {
            return Ok(());
        }
        self.look().await?;
        self.recorders.readers.wait(&folder).await;
        remove(folder).await
    }

    /// Adds the last lines that a task printed to a reason.
    pub(super) async fn with_last_lines(&self, reason: &str, task: &str) -> String {
        let Ok(docker) = self.daemon.docker().await else { return reason.to_owned() };
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            tail: EXPLAIN.to_owned(),
            ..LogsOptions::default()
        };
        let mut text = String::new();
        let mut frames = docker.task_logs(task, Some(options));
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(LOOK, frames.next()).await {
            text.push_str(LogText::from_bytes(frame.as_ref().trim_ascii_end()).as_str());
            text.push('\n');
        }
        match text.trim_end() {
            "" => format!("{reason}; it printed nothing"),
            lines => format!("{reason}; its last lines:\n{lines}"),
        }
    }
}

/// How much of an app's log Docker keeps, in bytes.
fn kept_bytes(app: &App) -> Option<u64> {
    let driver = app.service.spec.as_ref()?.task_template.as_ref()?.log_driver.as_ref()?;
    let number = |name: &str| driver.options.as_ref()?.get(name)?.parse::<u64>().ok();
    number("max-size")?.checked_mul(number("max-file")?)
}

/// Copies the lines of one app.
struct Copier {
    docker: Docker,
    shown: watch::Receiver<Shown>,
    deployment: DeploymentId,
    places: HashMap<String, Place>,
    spool: Spool,
}

impl Copier {
    /// Copies until the app has ended for good.
    async fn run(mut self) {
        let mut copied = HashSet::new();
        loop {
            let shown = self.shown.borrow_and_update().clone();
            let app = shown.as_ref().map(|seen| seen.apps.get(&self.deployment));
            let is_over = app.is_some_and(|app| app.is_none_or(App::is_given_up));
            let tasks: Vec<Task> = app.flatten().map(|app| app.tasks.clone()).unwrap_or_default();
            let next = tasks.iter().find(|task| {
                let is_new = task.id.as_ref().is_some_and(|id| !copied.contains(id));
                let is_lost = shown.as_ref().is_some_and(|seen| seen.nodes.has_lost(task));
                is_new && !is_lost && (runs(task) || has_ended(task))
            });
            if let Some(id) = next.and_then(|task| task.id.clone()) {
                self.copy(&id).await;
                copied.insert(id);
            } else if is_over || self.shown.changed().await.is_err() {
                return;
            }
        }
    }

    /// Copies the log of a task until it has ended.
    async fn copy(&mut self, task: &str) {
        let mut frames = self.frames(task, true).ready_chunks(TOGETHER);
        let mut taker = self.taker(task);
        loop {
            tokio::select! {
                batch = frames.next() => match batch {
                    Some(batch) => self.take(&mut taker, batch),
                    None => break,
                },
                shown = self.shown.changed() => {
                    if shown.is_err() || self.is_over(task) {
                        break;
                    }
                }
            }
            if self.is_over(task) {
                break;
            }
        }
        // Docker's stream of a task has no end.
        while let Ok(Some(batch)) = tokio::time::timeout(LAST_LINES, frames.next()).await {
            self.take(&mut taker, batch);
        }
        taker.end(&mut self.spool);
        drop(frames);
        // What a task printed that had ended before it was listened to.
        let mut frames = self.frames(task, false).ready_chunks(TOGETHER);
        let mut taker = self.taker(task);
        while let Ok(Some(batch)) = tokio::time::timeout(LOOK, frames.next()).await {
            self.take(&mut taker, batch);
        }
        taker.end(&mut self.spool);
        self.places.insert(task.to_owned(), taker.place);
        let _ = self.spool.flush();
    }

    fn frames(
        &self,
        task: &str,
        follow: bool,
    ) -> impl Stream<Item = Result<LogOutput, Error>> + Unpin + use<> {
        let micros = self.places.get(task).map_or(0, |place| place.micros);
        let options = LogsOptions {
            follow,
            stdout: true,
            stderr: true,
            timestamps: true,
            since: i32::try_from(micros / 1_000_000).unwrap_or(0),
            ..LogsOptions::default()
        };
        Box::pin(self.docker.task_logs(task, Some(options)))
    }

    fn taker(&self, task: &str) -> Taker {
        Taker::new(task, self.places.get(task).copied().unwrap_or_default())
    }

    fn take(&mut self, taker: &mut Taker, batch: Vec<Result<LogOutput, Error>>) {
        for frame in batch.into_iter().flatten() {
            taker.take(&frame, &mut self.spool);
        }
        self.places.insert(taker.source.clone(), taker.place);
        // A log that can't be written is no reason to end what it is about.
        let _ = self.spool.flush();
    }

    fn is_over(&self, task: &str) -> bool {
        let shown = self.shown.borrow();
        let Some(seen) = shown.as_ref() else { return false };
        let app = seen.apps.get(&self.deployment);
        let task = app.and_then(|app| app.tasks.iter().find(|it| it.id.as_deref() == Some(task)));
        task.is_none_or(|task| has_ended(task) || seen.nodes.has_lost(task))
    }
}
