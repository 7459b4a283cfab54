//! Reads a log chunk by chunk, no faster than somebody takes the chunks.

use tracing::{Instrument, Span};
use windlass_control::{Causes, ControlError, LogReader};
use windlass_domain::LogLine;

use crate::{app::Shared, authentication::Shown};

/// How many lines are held in memory for one client.
const CHUNK: u32 = 200;

/// A log on its way to one client.
pub(crate) struct Follow {
    app: Shared,
    reader: LogReader,
    /// The number of the last line that was taken.
    after: u64,
    /// Whether to wait for what is not printed yet.
    goes_on: bool,
    /// Where to stop instead: before the line that was to come next at the beginning.
    until: Option<u64>,
    /// What the client has shown, unless nobody looks at credentials.
    shown: Option<Shown>,
    /// The request's: it has been answered by the time the log is read.
    span: Span,
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
        app: Shared,
        reader: LogReader,
        after: u64,
        goes_on: bool,
        shown: Option<Shown>,
    ) -> Self {
        Self { app, reader, after, goes_on, until: None, shown, span: Span::current() }
    }

    /// The next lines; where there are none yet and it goes on, waits for them. A failure has been
    /// logged by the time it is returned.
    pub(crate) async fn next(&mut self) -> Result<Next, ControlError> {
        let span = self.span.clone();
        async { self.read_on().await.inspect_err(log) }.instrument(span).await
    }

    async fn read_on(&mut self) -> Result<Next, ControlError> {
        loop {
            if self.goes_on && !self.may_go_on().await {
                return Ok(Next::Paused);
            }
            let chunk = self.reader.read(self.after, CHUNK).await?;
            let until = *self.until.get_or_insert(chunk.next_seq);
            let is_wanted = self.goes_on || self.after + 1 < until;
            if let Some(last) = chunk.lines.last().filter(|_| is_wanted) {
                self.after = last.seq;
                return Ok(Next::Lines(chunk.lines));
            }
            if chunk.ended {
                return Ok(Next::Ended);
            }
            if !self.goes_on {
                return Ok(Next::Paused);
            }
            let (stopping, reader) = (&self.app.stopping, &mut self.reader);
            stopping.run_until_cancelled(reader.changed()).await;
        }
    }

    /// Whether the server goes on, and the credential still opens anything: it may be revoked or
    /// expire while its stream lasts. One that cannot be looked at now has been good so far.
    async fn may_go_on(&self) -> bool {
        if self.app.stopping.is_cancelled() {
            return false;
        }
        let Some(shown) = &self.shown else { return true };
        let principal = self.app.control.authenticate(shown.presentation()).await;
        !matches!(principal, Err(ControlError::InvalidCredential(_)))
    }
}

fn log(err: &ControlError) {
    let error = Causes(err);
    if matches!(err, ControlError::Unavailable(_)) {
        tracing::warn!(%error, "a log cannot be read on for now, its reader has to come back");
    } else {
        tracing::error!(%error, "a log cannot be read on, its reader has to come back");
    }
}
