//! From a pipe into the spool: any bytes become lines, at the speed at which they come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use windlass_domain::{LogStream, LogText};

use crate::spool::Spool;

/// The spool of a supervisor.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<Spool>>);

impl Log {
    /// For those who write to this spool together.
    #[must_use]
    pub fn new(spool: Spool) -> Self {
        Self(Arc::new(Mutex::new(spool)))
    }

    /// The spool, for as long as nobody else may write.
    pub fn lock(&self) -> MutexGuard<'_, Spool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line of ours. A log that can't be written is no reason to end what it is about.
    pub fn say(&self, text: &str) {
        let _ = self.lock().say(text);
    }

    /// Adds what comes through a pipe, until every process that could write to it is gone.
    pub async fn pump(self, mut pipe: impl AsyncRead + Unpin, stream: LogStream) {
        let mut lines = Lines::default();
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = pipe.read(&mut buffer).await {
            let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
            let mut spool = self.lock();
            lines.add(chunk, &mut spool, stream);
            let _ = spool.flush();
        }
        let mut spool = self.lock();
        lines.end(&mut spool, stream);
        let _ = spool.flush();
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Adds the lines that end in a chunk, and keeps what has begun.
    pub fn add(&mut self, chunk: &[u8], spool: &mut Spool, stream: LogStream) {
        if spool.is_full() {
            self.begun.clear();
            let lines = chunk.split(|byte| *byte == b'\n').count() - 1;
            spool.skip(lines as u64, chunk.len() as u64);
            return;
        }
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            // One byte more than fits, so that the cut shows; the rest of a line without end
            // would fill the memory.
            let room = (LogText::MAX + 1).saturating_sub(self.begun.len());
            self.begun.extend_from_slice(part.get(..room).unwrap_or(part));
            if parts.peek().is_some() {
                self.end_line(spool, stream);
            }
        }
    }

    /// Adds what has begun.
    pub fn end(&mut self, spool: &mut Spool, stream: LogStream) {
        if !self.begun.is_empty() {
            self.end_line(spool, stream);
        }
    }

    /// Keeps what a terminal would show of a line that was written over and over.
    fn end_line(&mut self, spool: &mut Spool, stream: LogStream) {
        let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        let shown = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
        let _ = spool.print(stream, shown);
        self.begun.clear();
    }
}

#[cfg(test)]
mod tests {
    use windlass_domain::{LogStream, LogText};

    use super::Log;
    use crate::spool::{Policy, Reader, Spool};

    async fn lines(input: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), Policy::DropNew { bytes: 1 << 20 }).unwrap();
        Log::new(spool).pump(input, LogStream::Stdout).await;
        let lines = Reader::new(folder.path(), 0).read().unwrap();
        lines.into_iter().map(|line| line.text.as_str().to_owned()).collect()
    }

    #[tokio::test]
    async fn line_ends_of_every_kind_and_none_at_the_end() {
        assert_eq!(lines(b"a\nb\r\n\n10%\r90%\rdone\nlast").await, ["a", "b", "", "done", "last"]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut() {
        let mut input = vec![b'x'; 3_000_000];
        input.extend(b"\nnext\n");
        let lines = lines(&input).await;
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() <= LogText::MAX && lines[0].ends_with("[cut]"));
    }
}
