//! Reads a log chunk by chunk, no faster than somebody takes the chunks.

use tokio_util::sync::CancellationToken;
use windlass_control::{ControlError, LogReader};
use windlass_domain::LogLine;

/// How many lines are held in memory for one client.
const CHUNK: u32 = 200;

/// A log on its way to one client.
pub(crate) struct Follow {
    pub(crate) reader: LogReader,
    /// The number of the last line that was taken.
    pub(crate) after: u64,
    /// Whether to wait for what is not printed yet.
    goes_on: bool,
    /// Where to stop instead: after the line that was the last one at the beginning.
    until: Option<u64>,
    stopping: CancellationToken,
}

/// What comes next.
pub(crate) enum Next {
    /// At least one line.
    Lines(Vec<LogLine>),
    /// Nothing will ever follow.
    Ended,
    /// Nothing now: the client may come back for more.
    Paused,
}

impl Follow {
    pub(crate) fn new(
        reader: LogReader,
        after: u64,
        goes_on: bool,
        stopping: CancellationToken,
    ) -> Self {
        Self { reader, after, goes_on, until: None, stopping }
    }

    /// The next lines; where there are none yet and it goes on, waits for them.
    pub(crate) async fn next(&mut self) -> Result<Next, ControlError> {
        loop {
            let chunk = self.reader.read(self.after, CHUNK).await?;
            let until = *self.until.get_or_insert(chunk.next_seq);
            if let Some(last) = chunk.lines.last().filter(|_| self.goes_on || self.after < until) {
                self.after = last.seq;
                return Ok(Next::Lines(chunk.lines));
            }
            if chunk.ended {
                return Ok(Next::Ended);
            }
            if !self.goes_on {
                return Ok(Next::Paused);
            }
            let (stopping, reader) = (&self.stopping, &mut self.reader);
            if stopping.run_until_cancelled(reader.changed()).await.is_none() {
                return Ok(Next::Paused);
            }
        }
    }
}
