//! Builds and tasks: begun once, joined ever after.

use std::{
    fmt,
    marker::PhantomData,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};
use windlass_domain::{BuildId, BuildResult};
use windlass_engine::{
    BuildReport, BuildRequest, EngineError, EngineLine, TaskId, TaskReport, TaskRequest,
};

use crate::{
    claim::Claim,
    faults::internal,
    files::{REPORT, STATE, STOP, make_folder, names, read_json, remove, write_json},
    readers::Readers,
    record::{Ended, Measurement, Outcome, ResultName, StopOrder},
    spool::{Policy, Reader, Spool},
    supervise::Supervisors,
    watch::Watcher,
};

/// How often is looked where nothing tells.
const LOOK: Duration = Duration::from_secs(1);

/// Something that is run once, under an id of its own: a build or a task.
pub trait Work: Send + Sync {
    /// Its id, of which text can be made and the other way round.
    type Id: Copy + fmt::Display + FromStr + Send + Sync;

    /// How its end is reported.
    type Report: From<Ended>;

    /// What it is called, in small letters.
    const WHAT: &'static str;

    /// Names it.
    fn id(&self) -> Self::Id;
}

impl Work for BuildRequest {
    type Id = BuildId;
    type Report = BuildReport;

    const WHAT: &'static str = "build";

    fn id(&self) -> BuildId {
        self.build
    }
}

impl Work for TaskRequest {
    type Id = TaskId;
    type Report = TaskReport;

    const WHAT: &'static str = "task";

    fn id(&self) -> TaskId {
        self.task
    }
}

/// What only the engine knows about its works.
#[async_trait]
pub trait Workshop<W: Work>: Send + Sync {
    /// Prepares one that begins, in its folder, where a server may have left something that was
    /// killed just then; gives the order for its supervisor.
    async fn prepare(&self, work: &W, folder: &Path) -> Result<Vec<u8>, EngineError>;

    /// Ends and removes all that it has made, finished or not, and nobody looks after.
    async fn clear(&self, id: W::Id) -> Result<(), EngineError>;
}

/// The builds or the tasks of an engine, each with a folder in its folder.
pub struct Runs<W> {
    folder: PathBuf,
    supervisors: Supervisors,
    /// Sees lines.
    contents: Arc<Watcher>,
    /// Held while something begins, so that nothing begins twice.
    begin: Arc<Mutex<()>>,
    readers: Readers,
    works: PhantomData<fn(&W)>,
}

impl<W: Work> Runs<W> {
    /// Those in this folder, which is there. Whoever holds `begin` keeps them from beginning.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        supervisors: Supervisors,
        contents: Arc<Watcher>,
        begin: Arc<Mutex<()>>,
    ) -> Self {
        let (readers, works) = (Readers::default(), PhantomData);
        Self { folder, supervisors, contents, begin, readers, works }
    }

    /// Those that were begun and not forgotten.
    #[must_use]
    pub fn kept(&self) -> Vec<W::Id> {
        names(&self.folder)
    }

    /// The folder of one.
    #[must_use]
    pub fn folder(&self, id: W::Id) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Whether a supervisor looks after it.
    #[must_use]
    pub fn runs(&self, id: W::Id) -> bool {
        let folder = self.folder(id);
        !folder.join(REPORT).exists() && Claim::is_held(&folder)
    }

    /// [`Engine::build`](windlass_engine::Engine::build), or
    /// [`Engine::run_task`](windlass_engine::Engine::run_task).
    pub async fn run(
        &self,
        workshop: &dyn Workshop<W>,
        work: &W,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<W::Report, EngineError> {
        let folder = self.folder(work.id());
        let reading = self.readers.enter(&folder).await;
        self.ensure(workshop, work, &folder).await?;

        let mut reader = Reader::new(&folder, from);
        let mut wake = self.contents.watch(&folder);
        let outcome = loop {
            // In this order: what is there before the report is all there is.
            let outcome = self.outcome(workshop, work.id()).await?;
            send(&mut reader, &lines).await?;
            match outcome {
                Some(outcome) => break outcome,
                None if folder.is_dir() => wake.wait(LOOK).await,
                None => {
                    let text = || format!("the {} was forgotten", W::WHAT);
                    let forgotten = || EngineError::Refused(text());
                    break reading.last_word().ok_or_else(forgotten)?;
                }
            }
        };
        match outcome {
            Outcome::Ended(ended) => Ok(ended.into()),
            Outcome::Unavailable { message } => {
                // As long as its supervisor is there, it would seem to look after the next attempt.
                self.until_left(&folder).await;
                // It may be tried again, and its lines go on then.
                for name in [REPORT, STATE] {
                    let _ = std::fs::remove_file(folder.join(name));
                }
                Err(EngineError::Unavailable(message))
            }
        }
    }

    /// Begins it unless it has begun.
    async fn ensure(
        &self,
        workshop: &dyn Workshop<W>,
        work: &W,
        folder: &Path,
    ) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        if folder.join(STATE).exists() || folder.join(REPORT).exists() || Claim::is_held(folder) {
            return Ok(());
        }
        let _ = std::fs::remove_file(folder.join(STOP));
        let is_new = !folder.is_dir();
        make_folder(folder, 0o700).map_err(internal("making a folder"))?;
        let order = workshop.prepare(work, folder).await;
        if order.is_err() && is_new {
            remove(folder.to_owned()).await?;
        }
        self.supervisors.start(folder, &order?).await
    }

    /// How it ended, once it has; a supervisor that is gone without a word is answered for.
    async fn outcome(
        &self,
        workshop: &dyn Workshop<W>,
        id: W::Id,
    ) -> Result<Option<Outcome>, EngineError> {
        let folder = self.folder(id);
        let read =
            || read_json::<Outcome>(&folder.join(REPORT)).map_err(internal("reading a report"));
        if let Some(outcome) = read()? {
            return Ok(Some(outcome));
        }
        if !folder.is_dir() || Claim::is_held(&folder) {
            return Ok(None);
        }
        // Its last word may have come between the two looks.
        if let Some(outcome) = read()? {
            return Ok(Some(outcome));
        }
        if !folder.join(STATE).exists() {
            return Ok(None);
        }
        self.bury(workshop, id).await.map(Some)
    }

    /// Ends what a dead supervisor left, and reports in its place.
    async fn bury(&self, workshop: &dyn Workshop<W>, id: W::Id) -> Result<Outcome, EngineError> {
        let folder = self.folder(id);
        let failed = || internal("reporting for a supervisor that is gone");
        workshop.clear(id).await?;
        let measured: Measurement =
            read_json(&folder.join(STATE)).map_err(failed())?.unwrap_or_default();
        let message = format!(
            "the {} was interrupted: the process that looked after it was ended from outside, or \
             the machine was restarted",
            W::WHAT
        );
        let mut spool =
            Spool::open(&folder, Policy::DropNew { bytes: u64::MAX }).map_err(failed())?;
        spool.say(&format!("Failed: {message}")).map_err(failed())?;
        let lines = spool.lines();
        let result = ResultName(BuildResult::InternalError);
        let outcome = Outcome::Ended(Ended { result, message, measured, lines });
        write_json(&folder.join(REPORT), &outcome).map_err(failed())?;
        Ok(outcome)
    }

    /// After a start: reports those whose supervisors are gone.
    pub async fn recover(&self, workshop: &dyn Workshop<W>) -> Result<(), EngineError> {
        for id in self.kept() {
            let folder = self.folder(id);
            let has_begun = folder.join(STATE).exists() && !folder.join(REPORT).exists();
            if has_begun && !Claim::is_held(&folder) {
                self.bury(workshop, id).await?;
            }
        }
        Ok(())
    }

    /// [`Engine::cancel_build`](windlass_engine::Engine::cancel_build), or
    /// [`Engine::cancel_task`](windlass_engine::Engine::cancel_task).
    pub async fn cancel(&self, id: W::Id) -> Result<(), EngineError> {
        let folder = self.folder(id);
        let _guard = self.begin.lock().await;
        if Claim::is_held(&folder) {
            write_json(&folder.join(STOP), &StopOrder { grace_millis: 0 })
                .map_err(internal("writing that something is to end"))?;
        }
        Ok(())
    }

    /// Waits until no supervisor looks after it; one that has reported is about to leave.
    async fn until_left(&self, folder: &Path) {
        let mut wake = self.supervisors.names.watch(folder);
        while Claim::is_held(folder) {
            wake.wait(Duration::from_millis(20)).await;
        }
    }

    /// [`Engine::forget_build`](windlass_engine::Engine::forget_build); a task's own leavings are
    /// still to be cleared.
    pub async fn forget(&self, workshop: &dyn Workshop<W>, id: W::Id) -> Result<(), EngineError> {
        let folder = self.folder(id);
        if !folder.is_dir() {
            return Ok(());
        }
        self.cancel(id).await?;
        self.until_left(&folder).await;
        self.readers.wait(&folder).await;
        self.readers.tell(&folder, self.outcome(workshop, id).await?);
        remove(folder).await
    }
}

impl<W> fmt::Debug for Runs<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runs").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Sends all lines that are there. Whoever does not listen any more is not an error.
pub async fn send(
    reader: &mut Reader,
    lines: &mpsc::Sender<EngineLine>,
) -> Result<(), EngineError> {
    while !lines.is_closed() {
        let batch = reader.read().map_err(internal("reading lines"))?;
        if batch.is_empty() {
            break;
        }
        for line in batch {
            if lines.send(line).await.is_err() {
                break;
            }
        }
    }
    Ok(())
}
