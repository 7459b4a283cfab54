//! Reads logs of builds and apps, once or as they grow.

use windlass_auth::Permission;
use windlass_domain::{DeploymentId, EnvironmentId, LogId, LogLine};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError, deployment, environment, watch::Watch};

/// Some lines of a log, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// The number that the next line will get, after all that are there now.
    pub next_seq: u64,
    /// Whether no more lines can come, and all that there are have been read with this chunk.
    pub ended: bool,
}

/// A log that the caller may read.
pub struct LogReader {
    control: Control,
    log: LogId,
    watch: Watch,
}

impl LogReader {
    /// Most lines in one chunk.
    pub const MAX_LINES: u32 = 1_000;

    /// The lines after number `after`, at most `limit` of them.
    pub async fn read(&self, after: u64, limit: u32) -> Result<LogChunk, ControlError> {
        let limit = limit.clamp(1, Self::MAX_LINES);
        let mut uow = self.control.store().read().await?;
        let head = uow.logs().head(self.log).await?;
        let lines = uow.logs().read(self.log, after, limit).await?;
        let last = lines.last().map_or(after, |line| line.seq);
        let ended = head.ended && head.next_seq <= last.saturating_add(1);
        Ok(LogChunk { lines, next_seq: head.next_seq, ended })
    }

    /// Returns when it is time to read again.
    pub async fn changed(&mut self) {
        self.watch.changed().await;
    }

    fn new(control: &Control, log: LogId) -> Self {
        Self { control: control.clone(), log, watch: Watch::new(control, Signal::Log(log)) }
    }
}

/// Opens the log of the build that a deployment runs.
pub async fn open_deployment_log(
    control: &Control,
    caller: &Caller,
    id: DeploymentId,
) -> Result<LogReader, ControlError> {
    let mut uow = control.store().read().await?;
    let deployment = deployment::find(&mut *uow, caller, Permission::LogsRead, id).await?;
    Ok(LogReader::new(control, LogId::Build(deployment.build_id)))
}

/// Opens the log of an environment's apps.
pub async fn open_environment_log(
    control: &Control,
    caller: &Caller,
    id: EnvironmentId,
) -> Result<LogReader, ControlError> {
    let mut uow = control.store().read().await?;
    environment::find(&mut *uow, caller, Permission::LogsRead, id).await?;
    Ok(LogReader::new(control, LogId::App(id)))
}
