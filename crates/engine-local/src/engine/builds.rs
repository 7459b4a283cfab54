//! Builds: begun once, joined ever after.

use std::{path::Path, time::Duration};

use tokio::sync::mpsc;
use windlass_domain::{BuildId, BuildResult};
use windlass_engine::{BuildReport, BuildRequest, EngineError, EngineLine};

use super::{LOOK, Shared, exists, internal, remove};
use crate::{
    claim::Claim,
    files::{names, read_json, write_json},
    layout::{REPORT, STATE, STOP, make_folder},
    record::{AppRecord, Measurement, Outcome, ResultName, StopOrder, report},
    spool::{Policy, Reader, Spool},
};

impl Shared {
    pub(super) async fn build(
        &self,
        request: &BuildRequest,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<BuildReport, EngineError> {
        let folder = self.layout.build(request.build);
        let reading = self.readers.enter(&folder).await;
        self.ensure_build(request, &folder).await?;

        let mut reader = Reader::new(&folder, from);
        let mut wake = self.contents.watch(&folder);
        let outcome = loop {
            // In this order: what is there before the report is all there is.
            let outcome = self.outcome(request.build).await?;
            send(&mut reader, &lines).await?;
            match outcome {
                Some(outcome) => break outcome,
                None if exists(&folder) => wake.wait(LOOK).await,
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
                // It may be tried again, and its lines go on then.
                for name in [REPORT, STATE] {
                    let _ = std::fs::remove_file(folder.join(name));
                }
                Err(EngineError::Unavailable(message))
            }
        }
    }

    /// Begins the build unless it has begun.
    async fn ensure_build(&self, request: &BuildRequest, folder: &Path) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        if folder.join(STATE).exists() || folder.join(REPORT).exists() || Claim::is_held(folder) {
            return Ok(());
        }
        // What a server left that was killed just here.
        remove(self.layout.output(request.build)).await?;
        let _ = std::fs::remove_file(folder.join(STOP));
        make_folder(folder, 0o700).map_err(internal("making the build's folder"))?;
        let order = self.build_order(request).map_err(internal("preparing the build"))?;
        self.supervise(folder, &order).await
    }

    /// How the build ended, once it has; a supervisor that is gone without a word is answered for.
    async fn outcome(&self, build: BuildId) -> Result<Option<Outcome>, EngineError> {
        let folder = self.layout.build(build);
        let read = || {
            read_json::<Outcome>(&folder.join(REPORT)).map_err(internal("reading a build's report"))
        };
        if let Some(outcome) = read()? {
            return Ok(Some(outcome));
        }
        if !exists(&folder) || Claim::is_held(&folder) {
            return Ok(None);
        }
        // Its last word may have come between the two looks.
        if let Some(outcome) = read()? {
            return Ok(Some(outcome));
        }
        if !folder.join(STATE).exists() {
            return Ok(None);
        }
        self.bury_build(build).await.map(Some)
    }

    /// Ends what a dead supervisor left, and reports in its place.
    pub(super) async fn bury_build(&self, build: BuildId) -> Result<Outcome, EngineError> {
        let folder = self.layout.build(build);
        let failed = || internal("reporting a build whose supervisor is gone");
        for name in [build.to_string(), format!("{build}.fetch")] {
            self.hierarchy.group(&name).remove().await;
        }
        remove(self.layout.output(build)).await?;
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

    pub(super) async fn cancel_build(&self, build: BuildId) -> Result<(), EngineError> {
        let folder = self.layout.build(build);
        let _guard = self.begin.lock().await;
        if Claim::is_held(&folder) {
            write_json(&folder.join(STOP), &StopOrder { grace_millis: 0 })
                .map_err(internal("cancelling a build"))?;
        }
        Ok(())
    }

    pub(super) async fn forget_build(&self, build: BuildId) -> Result<(), EngineError> {
        let folder = self.layout.build(build);
        if !exists(&folder) {
            return Ok(());
        }
        self.cancel_build(build).await?;
        let mut wake = self.names.watch(&folder);
        while Claim::is_held(&folder) {
            wake.wait(Duration::from_millis(20)).await;
        }
        self.readers.wait(&folder).await;
        self.readers.tell(&folder, self.outcome(build).await?);
        remove(folder).await
    }

    pub(super) fn kept_builds(&self) -> Vec<BuildId> {
        names(self.layout.outputs())
    }

    pub(super) async fn remove_builds(&self, builds: &[BuildId]) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        let apps = names(&self.layout.apps()).into_iter();
        let used: Vec<BuildId> = apps
            .filter_map(|app| read_json::<AppRecord>(&self.layout.app(app).join(STATE)).ok()?)
            .map(|record| record.build)
            .collect();
        for build in builds {
            let folder = self.layout.build(*build);
            let runs = !folder.join(REPORT).exists() && Claim::is_held(&folder);
            if !used.contains(build) && !runs {
                remove(self.layout.output(*build)).await?;
            }
        }
        Ok(())
    }
}

/// Sends all lines that are there. Whoever does not listen any more is not an error.
pub(super) async fn send(
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
