//! Apps: started beside each other, adopted after a restart, stopped when told.

use std::{path::Path, time::Duration};

use tokio::{sync::mpsc, time::Instant};
use windlass_domain::DeploymentId;
use windlass_engine::{AppRequest, EngineError, EngineLine, ObservedApp, RunningApp};
use windlass_engine_kit::{
    claim::Claim,
    faults::internal,
    files::{STATE, STOP, make_folder, names, read_json, remove, write_json},
    health,
    record::StopOrder,
    runs::send,
    spool::{Reader, begin_at},
};

use super::{LOOK, Shared};
use crate::record::{AppRecord, AppStatus};

/// How long a supervisor may take to end an app, after its grace.
const END: Duration = Duration::from_secs(20);
/// No fault of the app: it may be started again.
const STOPPED: &str = "the app was stopped while it started";
/// How often to look whether the lock is free of a supervisor that has written its last state.
const FREED_SOON: Duration = Duration::from_millis(20);

impl Shared {
    pub(super) async fn start(&self, request: &AppRequest) -> Result<RunningApp, EngineError> {
        check(request)?;
        let folder = self.layout.app(request.deployment);
        self.ensure_app(request, &folder).await?;

        let mut wake = self.names.watch(&folder);
        let failed = loop {
            // In this order: what a supervisor wrote last is true after it has ended.
            let is_alive = Claim::is_held(&folder);
            let Some(record) = read(&folder)? else {
                return Err(EngineError::Unavailable(STOPPED.to_owned()));
            };
            match record.status {
                AppStatus::Running if is_alive => return Ok(record.running()),
                AppStatus::Crashed { reason } => break EngineError::Refused(reason),
                AppStatus::Stopped => break EngineError::Unavailable(STOPPED.to_owned()),
                AppStatus::Starting | AppStatus::Restarting { .. } | AppStatus::Running => {}
            }
            if !is_alive {
                let text = "the app was interrupted while it started";
                break EngineError::Unavailable(text.to_owned());
            }
            wake.wait(LOOK).await;
        };
        self.stop(request.deployment, Duration::ZERO).await?;
        Err(failed)
    }

    /// Begins to start the app unless it runs.
    async fn ensure_app(&self, request: &AppRequest, folder: &Path) -> Result<(), EngineError> {
        let _guard = self.begin.lock().await;
        if Claim::is_held(folder) {
            return Ok(());
        }
        self.bury_app(request.deployment).await?;
        let output = self.built(request.build)?;
        make_folder(folder, 0o700).map_err(internal("making the app's folder"))?;
        begin_at(folder, request.first_line).map_err(internal("making the app's log"))?;
        let order = self.app_order(request, output).map_err(internal("preparing the app"))?;
        let begun = self.supervise(folder, &order).await;
        if begun.is_err() {
            self.bury_app(request.deployment).await?;
        }
        begun
    }

    pub(super) async fn stop(
        &self,
        deployment: DeploymentId,
        grace: Duration,
    ) -> Result<(), EngineError> {
        let folder = self.layout.app(deployment);
        if !folder.is_dir() {
            return Ok(());
        }
        if Claim::is_held(&folder) {
            let grace_millis = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
            write_json(&folder.join(STOP), &StopOrder { grace_millis })
                .map_err(internal("stopping an app"))?;
            let mut wake = self.names.watch(&folder);
            let deadline = Instant::now() + grace + END;
            while Claim::is_held(&folder) {
                if deadline < Instant::now() {
                    let late = std::io::Error::other("its supervisor does not end");
                    return Err(internal("stopping an app")(late));
                }
                wake.wait(FREED_SOON).await;
            }
        }
        self.readers.wait(&folder).await;
        self.bury_app(deployment).await?;
        self.changes.tell(deployment);
        Ok(())
    }

    /// Ends what is left of an app that nobody looks after, and removes its files.
    pub(super) async fn bury_app(&self, deployment: DeploymentId) -> Result<(), EngineError> {
        self.hierarchy.group(&deployment.to_string()).remove().await;
        remove(self.layout.temp(deployment)).await?;
        remove(self.layout.app(deployment)).await
    }

    pub(super) async fn observe(&self) -> Vec<ObservedApp> {
        let mut observed = Vec::new();
        for deployment in names(&self.layout.apps()) {
            let folder = self.layout.app(deployment);
            let is_alive = Claim::is_held(&folder);
            let record = read(&folder).ok().flatten();
            match record {
                Some(record) if is_alive || is_over(&record.status) => {
                    observed.push(ObservedApp::from(&record));
                }
                // It ended without a word. It is not there, so whoever wants it starts it again.
                Some(_) => {
                    let _guard = self.begin.lock().await;
                    if !Claim::is_held(&folder) {
                        let _ = self.bury_app(deployment).await;
                    }
                }
                None => {}
            }
        }
        observed
    }

    pub(super) async fn follow(
        &self,
        deployment: DeploymentId,
        from: u64,
        lines: mpsc::Sender<EngineLine>,
    ) -> Result<(), EngineError> {
        let folder = self.layout.app(deployment);
        let _guard = self.readers.enter(&folder).await;
        let mut reader = Reader::new(&folder, from);
        let mut wake = self.contents.watch(&folder);
        loop {
            let has_ended = !Claim::is_held(&folder);
            send(&mut reader, &lines).await?;
            if has_ended || lines.is_closed() {
                return Ok(());
            }
            // The lock is freed just after the last state was written, and nothing tells of it.
            let is_ending = read(&folder).ok().flatten().is_some_and(|it| is_over(&it.status));
            let pause = if is_ending { FREED_SOON } else { LOOK };
            tokio::select! {
                () = wake.wait(pause) => {}
                () = lines.closed() => {}
            }
        }
    }
}

/// Whether a supervisor that wrote this has nothing left to do.
fn is_over(status: &AppStatus) -> bool {
    match status {
        AppStatus::Crashed { .. } | AppStatus::Stopped => true,
        AppStatus::Starting | AppStatus::Running | AppStatus::Restarting { .. } => false,
    }
}

fn read(folder: &Path) -> Result<Option<AppRecord>, EngineError> {
    read_json(&folder.join(STATE)).map_err(internal("reading an app's state"))
}

/// What this engine can't do, or what could be misread.
fn check(request: &AppRequest) -> Result<(), EngineError> {
    if let Some(port) = request.port {
        return Err(EngineError::Refused(format!(
            "port {port} cannot be promised on this server, where all apps share one machine: the \
             app must listen on the port that the variable PORT names"
        )));
    }
    match &request.health_path {
        Some(path) if !health::is_path(path) => Err(EngineError::Refused(
            "health_path must begin with `/` and have neither blanks nor control characters"
                .to_owned(),
        )),
        Some(_) | None => Ok(()),
    }
}
