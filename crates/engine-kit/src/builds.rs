//! Builds: begun once, joined ever after.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};
use windlass_domain::{BuildId, BuildResult};
use windlass_engine::{BuildReport, BuildRequest, EngineError, EngineLine};

use crate::{
    claim::Claim,
    faults::internal,
    files::{REPORT, STATE, STOP, make_folder, names, read_json, remove, write_json},
    readers::Readers,
    record::{Measurement, Outcome, ResultName, StopOrder, report},
    spool::{Policy, Reader, Spool},
    supervise::Supervisors,
    watch::Watcher,
};

/// How often is looked where nothing tells.
const LOOK: Duration = Duration::from_secs(1);

/// What only the engine knows about builds.
#[async_trait]
pub trait Workshop: Send + Sync {
    /// The order for the supervisor of a build that begins.
    async fn order(&self, request: &BuildRequest) -> Result<Vec<u8>, EngineError>;

    /// Ends and removes all that a build has made, finished or not, and nobody looks after.
    async fn clear(&self, build: BuildId) -> Result<(), EngineError>;
}

/// The builds of an engine, each with a folder in its folder.
pub struct Builds {
    folder: PathBuf,
    supervisors: Supervisors,
    /// Sees lines.
    contents: Arc<Watcher>,
    /// Held while something begins, so that nothing begins twice.
    begin: Arc<Mutex<()>>,
    readers: Readers,
}

impl Builds {
    /// Those in this folder, which is there. Whoever holds `begin` keeps them from beginning.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        supervisors: Supervisors,
        contents: Arc<Watcher>,
        begin: Arc<Mutex<()>>,
    ) -> Self {
        Self { folder, supervisors, contents, begin, readers: Readers::default() }
    }

    /// The folder of a build.
    #[must_use]
    pub fn folder(&self, build: BuildId) -> PathBuf {
        self.folder.join(build.to_string())
    }

    /// Whether a supervisor looks after it.
    #[must_use]
    pub fn runs(&self, build: BuildId) -> bool {
        let folder = self.folder(build);
        !folder.join(REPORT).exists() && Claim::is_held(&folder)
    }

    /// [`Engine::build`](windlass_engine::Engine::build).
    pub async fn build(
        &self,
        workshop: &dyn Workshop,
        request: &BuildRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<BuildReport, EngineError> {
        let folder = self.folder(request.build);
        let reading = self.readers.enter(&folder).await;
        self.ensure(workshop, request, &folder).await?;

        let mut reader = Reader::new(&folder, from);
        let mut wake = self.contents.watch(&folder);
        let outcome = loop {
            // In this order: what is there before the report is all there is.
            let outcome = self.outcome(workshop, request.build).await?;
            send(&mut reader, &lines).await?;
            match outcome {
                Some(outcome) => break outcome,
                None if folder.is_dir() => wake.wait(LOOK).await,
                None => {
                    let forgotten = || EngineError::Refused("the build was forgotten".to_owned());
                    break reading.last_word().ok_or_else(forgotten)?;
                }
            }
        };
        match outcome {
            Outcome::Ended { result, message, measured, lines } => {
                Ok(report(result, message, measured, lines))
            }
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

    /// Begins the build unless it has begun.
    async fn ensure(
        &self,
        workshop: &dyn Workshop,
        request: &BuildRequest,
        folder: &Path,
    ) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        if folder.join(STATE).exists() || folder.join(REPORT).exists() || Claim::is_held(folder) {
            return Ok(());
        }
        // What a server left that was killed just here.
        workshop.clear(request.build).await?;
        let _ = std::fs::remove_file(folder.join(STOP));
        make_folder(folder, 0o700).map_err(internal("making the build's folder"))?;
        let order = workshop.order(request).await?;
        self.supervisors.start(folder, &order).await
    }

    /// How the build ended, once it has; a supervisor that is gone without a word is answered for.
    async fn outcome(
        &self,
        workshop: &dyn Workshop,
        build: BuildId,
    ) -> Result<Option<Outcome>, EngineError> {
        let folder = self.folder(build);
        let read = || {
            read_json::<Outcome>(&folder.join(REPORT)).map_err(internal("reading a build's report"))
        };
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
        self.bury(workshop, build).await.map(Some)
    }

    /// Ends what a dead supervisor left, and reports in its place.
    async fn bury(&self, workshop: &dyn Workshop, build: BuildId) -> Result<Outcome, EngineError> {
        let folder = self.folder(build);
        let failed = || internal("reporting a build whose supervisor is gone");
        workshop.clear(build).await?;
        let measured: Measurement =
            read_json(&folder.join(STATE)).map_err(failed())?.unwrap_or_default();
        let message = "the build was interrupted: the process that looked after it was ended from \
                       outside, or the machine was restarted"
            .to_owned();
        let mut spool =
            Spool::open(&folder, Policy::DropNew { bytes: u64::MAX }).map_err(failed())?;
        spool.say(&format!("Build failed: {message}")).map_err(failed())?;
        let lines = spool.lines();
        let result = ResultName(BuildResult::InternalError);
        let outcome = Outcome::Ended { result, message, measured, lines };
        write_json(&folder.join(REPORT), &outcome).map_err(failed())?;
        Ok(outcome)
    }

    /// After a start: reports those whose supervisors are gone.
    pub async fn recover(&self, workshop: &dyn Workshop) -> Result<(), EngineError> {
        for build in names(&self.folder) {
            let folder = self.folder(build);
            let has_begun = folder.join(STATE).exists() && !folder.join(REPORT).exists();
            if has_begun && !Claim::is_held(&folder) {
                self.bury(workshop, build).await?;
            }
        }
        Ok(())
    }

    /// [`Engine::cancel_build`](windlass_engine::Engine::cancel_build).
    pub async fn cancel(&self, build: BuildId) -> Result<(), EngineError> {
        let folder = self.folder(build);
        let _guard = self.begin.lock().await;
        if Claim::is_held(&folder) {
            write_json(&folder.join(STOP), &StopOrder { grace_millis: 0 })
                .map_err(internal("cancelling a build"))?;
        }
        Ok(())
    }

    /// Waits until no supervisor looks after a build; one that has reported is about to leave.
    async fn until_left(&self, folder: &Path) {
        let mut wake = self.supervisors.names.watch(folder);
        while Claim::is_held(folder) {
            wake.wait(Duration::from_millis(20)).await;
        }
    }

    /// [`Engine::forget_build`](windlass_engine::Engine::forget_build).
    pub async fn forget(&self, workshop: &dyn Workshop, build: BuildId) -> Result<(), EngineError> {
        let folder = self.folder(build);
        if !folder.is_dir() {
            return Ok(());
        }
        self.cancel(build).await?;
        self.until_left(&folder).await;
        self.readers.wait(&folder).await;
        self.readers.tell(&folder, self.outcome(workshop, build).await?);
        remove(folder).await
    }
}

impl fmt::Debug for Builds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builds").field("folder", &self.folder).finish_non_exhaustive()
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
