//! What a build or an app prints, up to its end.

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};
use windlass_domain::{Clock, LogStream};

use super::script::Step;
use crate::EngineLine;

/// Lines, and how it ended once it has.
pub(super) struct Output<E> {
    printed: watch::Sender<Printed<E>>,
    /// The number of the first line.
    first: u64,
}

struct Printed<E> {
    lines: Vec<EngineLine>,
    end: Option<E>,
}

impl<E: Clone + Send + Sync> Output<E> {
    pub(super) fn new(first: u64) -> Self {
        Self { printed: watch::Sender::new(Printed { lines: Vec::new(), end: None }), first }
    }

    /// Adds a line, unless it has ended.
    pub(super) fn print(&self, time: DateTime<Utc>, stream: LogStream, text: &str) {
        self.printed.send_if_modified(|printed| {
            let is_open = printed.end.is_none();
            if is_open {
                let number = self.first + printed.lines.len() as u64;
                printed.lines.push(EngineLine { number, time, stream, text: text.into() });
            }
            is_open
        });
    }

    /// Prints and waits as the steps say.
    pub(super) async fn play(&self, steps: Vec<Step>, clock: &dyn Clock) {
        for step in steps {
            match step {
                Step::Print(stream, text) => self.print(clock.now(), stream, &text),
                Step::Wait(gate) => gate.pass().await,
            }
        }
    }

    /// Ends it, unless it has ended; `end` gets the number of lines.
    pub(super) fn end(&self, end: impl FnOnce(u64) -> E) -> bool {
        self.printed.send_if_modified(|printed| {
            let is_open = printed.end.is_none();
            if is_open {
                printed.end = Some(end(printed.lines.len() as u64));
            }
            is_open
        })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.printed.borrow().end.is_some()
    }

    /// Sends the lines from number `from` on until the end, and says what that is.
    pub(super) async fn read(&self, from: u64, lines: &mpsc::Sender<EngineLine>) -> E {
        let mut printed = self.printed.subscribe();
        let mut next = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        loop {
            let (news, end) = {
                let printed = printed.borrow_and_update();
                (printed.lines.get(next..).unwrap_or_default().to_vec(), printed.end.clone())
            };
            next += news.len();
            for line in news {
                // Whoever drops the receiver still wants to know the end.
                let _ = lines.send(line).await;
            }
            if let Some(end) = end {
                return end;
            }
            // The sender lives as long as `self`.
            let _ = printed.changed().await;
        }
    }
}
