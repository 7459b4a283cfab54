//! Repository of log lines.

use async_trait::async_trait;
use uuid::Uuid;
use windlass_domain::{LogId, LogLine, NewLogLine};

use crate::StoreError;

/// Where a log stands; by default, that of a log that nobody has written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// The number that the next line gets; the first is 1.
    pub next_seq: u64,
    /// The oldest line that is still there has at least this number.
    pub first_seq: u64,
    /// Whether no more lines can come.
    pub ended: bool,
}

impl Default for LogHead {
    fn default() -> Self {
        Self { next_seq: 1, first_seq: 1, ended: false }
    }
}

/// How far a source has been read: what makes a repeated append harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceMove {
    /// The source: a build or a deployment, whose engine counts its lines from 0.
    pub source: Uuid,
    /// How many of its lines were read before; 0 for a new source.
    pub from: u64,
    /// How many have been read after. More than the lines appended where the source dropped some.
    pub to: u64,
}

/// Stores log lines.
#[async_trait]
pub trait LogRepo: Send {
    /// Where a log stands. A log that nobody has written to is empty and has not ended.
    async fn head(&mut self, log: LogId) -> Result<LogHead, StoreError>;

    /// How many lines of a source have been read into the log; 0 for a source that is new to it.
    async fn position(&mut self, log: LogId, source: Uuid) -> Result<u64, StoreError>;

    /// Appends lines, numbering them on. With `from_source`, does nothing and returns `false` when
    /// the source has been read to another place than `from`: somebody else was faster.
    ///
    /// Lines that come after the end of the log are refused in the same way.
    async fn append(
        &mut self,
        log: LogId,
        lines: &[NewLogLine],
        from_source: Option<SourceMove>,
    ) -> Result<bool, StoreError>;

    /// Marks a log as complete.
    async fn end(&mut self, log: LogId) -> Result<(), StoreError>;

    /// The lines after number `after`, at most `limit`, oldest first.
    async fn read(
        &mut self,
        log: LogId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError>;

    /// Removes the oldest lines but for the newest `keep`.
    async fn trim(&mut self, log: LogId, keep: u64) -> Result<(), StoreError>;
}
