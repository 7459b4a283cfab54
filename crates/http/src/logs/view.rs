//! Log lines as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_control::LogChunk;
use windlass_domain::{LogLine, LogStream};

/// A part of a log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Log)]
pub(crate) struct LogView {
    /// The lines, oldest first.
    lines: Vec<LogLineView>,
    /// The number of the first line after these, whether or not it is there yet: ask again with
    /// `after_seq` one less.
    #[schema(example = 3)]
    next_seq: u64,
    /// Whether nothing can follow.
    ended: bool,
}

/// One line that a build or an app printed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(crate) struct LogLineView {
    /// Counts the log's lines from 1.
    #[schema(example = 2)]
    pub(crate) seq: u64,
    /// When it was printed.
    time: DateTime<Utc>,
    stream: LogStreamView,
    #[schema(example = "npm ci")]
    text: String,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = LogStream)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogStreamView {
    Stdout,
    Stderr,
    /// From Windlass itself.
    System,
}

impl From<LogChunk> for LogView {
    fn from(chunk: LogChunk) -> Self {
        let LogChunk { lines, next_seq, ended } = chunk;
        let next_seq = lines.last().map_or(next_seq, |last| last.seq.saturating_add(1));
        Self { lines: lines.into_iter().map(LogLineView::from).collect(), next_seq, ended }
    }
}

impl From<LogLine> for LogLineView {
    fn from(line: LogLine) -> Self {
        let LogLine { seq, time, stream, text } = line;
        let stream = match stream {
            LogStream::Stdout => LogStreamView::Stdout,
            LogStream::Stderr => LogStreamView::Stderr,
            LogStream::System => LogStreamView::System,
        };
        Self { seq, time, stream, text: text.as_str().to_owned() }
    }
}
