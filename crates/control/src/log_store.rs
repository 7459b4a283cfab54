//! Moves lines from the engine into stored logs, each exactly once.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use uuid::Uuid;
use windlass_domain::{
    BuildId, DeploymentId, EnvironmentId, LogId, LogStream, LogText, NewLogLine,
};
use windlass_engine::EngineLine;
use windlass_storage::{Signal, SourceMove, StoreError, UnitOfWork};

use crate::Control;

/// Most lines in one unit of work.
const BATCH: usize = 1_000;
/// How long to wait before trying again while the database is away.
const PAUSE: Duration = Duration::from_millis(500);

/// Where lines come from and go to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipe {
    /// The log that they are appended to.
    pub(crate) log: LogId,
    /// The build or deployment that printed them.
    pub(crate) source: Uuid,
}

impl Pipe {
    /// What a build prints.
    pub(crate) fn of_build(build: BuildId) -> Self {
        Self { log: LogId::Build(build), source: build.to_uuid() }
    }

    /// What the app of a deployment prints, over all its starts.
    pub(crate) fn of_app(environment: EnvironmentId, deployment: DeploymentId) -> Self {
        Self { log: LogId::App(environment), source: deployment.to_uuid() }
    }
}

impl Control {
    /// How many of the source's lines are stored.
    pub(crate) async fn stored_lines(&self, pipe: Pipe) -> Result<u64, StoreError> {
        self.store().read().await?.logs().position(pipe.log, pipe.source).await
    }

    /// Stores lines as they come, until their sender is gone. While the database is away it
    /// waits, and so does the sender.
    pub(crate) async fn store_lines(
        &self,
        pipe: Pipe,
        mut lines: Receiver<EngineLine>,
    ) -> Result<(), StoreError> {
        let mut position = self.patiently(|| self.stored_lines(pipe)).await?;
        let mut batch = Vec::with_capacity(BATCH);
        while 0 < lines.recv_many(&mut batch, BATCH).await {
            loop {
                batch.retain(|line| position <= line.number);
                let Some(last) = batch.last() else { break };
                let to = last.number + 1;
                let step = SourceMove { source: pipe.source, from: position, to };
                if self.patiently(|| self.append(pipe.log, &batch, step)).await? {
                    position = to;
                    break;
                }
                // Another server stores the same lines, or the log has ended.
                let stored = self.patiently(|| self.stored_lines(pipe)).await?;
                if stored == position {
                    break;
                }
                position = stored;
            }
            batch.clear();
        }
        Ok(())
    }

    async fn append(
        &self,
        log: LogId,
        lines: &[EngineLine],
        step: SourceMove,
    ) -> Result<bool, StoreError> {
        let new: Vec<NewLogLine> = lines
            .iter()
            .map(|line| NewLogLine {
                time: line.time,
                stream: line.stream,
                text: line.text.clone(),
            })
            .collect();
        let mut uow = self.store().write().await?;
        if !uow.logs().append(log, &new, Some(step)).await? {
            return Ok(false);
        }
        uow.signal(Signal::Log(log));
        uow.commit().await?;
        Ok(true)
    }

    /// Tries until the database is there.
    async fn patiently<T, F, R>(&self, mut attempt: F) -> Result<T, StoreError>
    where
        F: FnMut() -> R + Send,
        R: Future<Output = Result<T, StoreError>> + Send,
    {
        loop {
            match attempt().await {
                Err(err) if err.is_passing() => tokio::time::sleep(PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    /// Adds a line of Windlass's own, as part of a larger unit of work.
    pub(crate) async fn say(
        &self,
        uow: &mut dyn UnitOfWork,
        log: LogId,
        text: &str,
    ) -> Result<(), StoreError> {
        let line = NewLogLine {
            time: self.fx().clock.now(),
            stream: LogStream::System,
            text: LogText::from(text),
        };
        uow.logs().append(log, &[line], None).await?;
        uow.signal(Signal::Log(log));
        Ok(())
    }
}
