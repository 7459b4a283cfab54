//! The numbered lines of a build, a task or an app, in files that readers follow while they grow.
//!
//! Each line of a file is one record and ends with a line end, so a record that was torn by a
//! kill shows itself. Files are named by the number of their first line.

mod reader;

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use windlass_domain::{Clock, LogStream, LogText, SystemClock};

pub use self::reader::Reader;

/// How many lines are kept at hand to explain a failure.
const RECENT: usize = 20;
/// An app's log is cut into about this many files, of which the oldest goes first.
const SEGMENTS: u64 = 4;

/// What happens to lines that would make the log too long.
#[derive(Debug, Clone, Copy)]
pub enum Policy {
    /// They are dropped, and counted.
    DropNew {
        /// How long the log may be.
        bytes: u64,
    },
    /// Old ones make room.
    DropOld {
        /// How long the log may be.
        bytes: u64,
    },
}

/// One line as it is stored: number, microseconds since 1970, stream, text, and what it was copied
/// from, if it was.
#[derive(Serialize, Deserialize)]
struct Record(
    u64,
    i64,
    Stream,
    String,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<String>,
);

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Stream {
    #[serde(rename = "o")]
    Stdout,
    #[serde(rename = "e")]
    Stderr,
    #[serde(rename = "s")]
    System,
}

impl From<LogStream> for Stream {
    fn from(stream: LogStream) -> Self {
        match stream {
            LogStream::Stdout => Self::Stdout,
            LogStream::Stderr => Self::Stderr,
            LogStream::System => Self::System,
        }
    }
}

/// Writes the lines; there is one writer.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    policy: Policy,
    file: File,
    file_bytes: u64,
    total_bytes: u64,
    next: u64,
    last_micros: i64,
    dropped_lines: u64,
    dropped_bytes: u64,
    pending: Vec<u8>,
    recent: VecDeque<String>,
}

impl Spool {
    /// Begins, or goes on where an earlier writer was ended.
    pub fn open(folder: &Path, policy: Policy) -> io::Result<Self> {
        let first = segments(folder).last().copied().unwrap_or(0);
        let path = segment(folder, first);
        let written = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let whole = written.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let last =
            written.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n').nth_back(1);
        let last = last.and_then(|record| serde_json::from_slice(record).ok());
        let (next, last_micros) =
            last.map_or((first, 0), |Record(number, micros, ..)| (number + 1, micros));
        let file = File::options().create(true).append(true).open(&path)?;
        file.set_len(whole as u64)?;
        Ok(Self {
            folder: folder.to_owned(),
            policy,
            file,
            file_bytes: whole as u64,
            total_bytes: segments_bytes(folder),
            next,
            last_micros,
            dropped_lines: 0,
            dropped_bytes: 0,
            pending: Vec::new(),
            recent: VecDeque::new(),
        })
    }

    /// The number of the next line: how many there have been, unless it was to begin elsewhere.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.next
    }

    /// The last lines that the project printed since [`Spool::forget_recent`].
    #[must_use]
    pub fn recent(&self) -> String {
        self.recent.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Begins anew with [`Spool::recent`].
    pub fn forget_recent(&mut self) {
        self.recent.clear();
    }

    /// Adds a line of ours; it is never dropped.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.record(LogStream::System, &LogText::from(text), SystemClock.now(), None)?;
        self.flush()
    }

    /// Adds a line that the project printed; [`Spool::flush`] shows it to readers.
    pub fn print(&mut self, stream: LogStream, line: &[u8]) -> io::Result<()> {
        if self.is_full() {
            self.skip(1, line.len() as u64 + 1);
            return Ok(());
        }
        let text = LogText::from_bytes(line);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(text.as_str().to_owned());
        self.record(stream, &text, SystemClock.now(), None)
    }

    /// Adds a line that was printed before and is copied from elsewhere, which
    /// [`Spool::sources`] tells. [`Spool::flush`] shows it to readers.
    pub fn print_from(
        &mut self,
        stream: LogStream,
        line: &[u8],
        time: DateTime<Utc>,
        source: &str,
    ) -> io::Result<()> {
        if self.is_full() {
            self.skip(1, line.len() as u64 + 1);
            return Ok(());
        }
        self.record(stream, &LogText::from_bytes(line), time, Some(source.to_owned()))
    }

    /// What the lines in this folder were copied from, in their order.
    #[must_use]
    pub fn sources(folder: &Path) -> Vec<String> {
        let files = segments(folder).into_iter().map(|first| segment(folder, first));
        let mut sources = Vec::new();
        for bytes in files.filter_map(|path| fs::read(path).ok()) {
            let records = bytes.split(|byte| *byte == b'\n');
            let records = records.filter_map(|record| serde_json::from_slice(record).ok());
            sources.extend(records.filter_map(|Record(.., source)| source));
        }
        sources
    }

    /// Whether lines are only counted from now on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.policy, Policy::DropNew { bytes } if bytes <= self.total_bytes)
    }

    /// Counts lines that are not kept.
    pub fn skip(&mut self, lines: u64, bytes: u64) {
        self.dropped_lines += lines;
        self.dropped_bytes += bytes;
    }

    /// Says how much was dropped, if anything was.
    pub fn confess(&mut self) -> io::Result<()> {
        let (lines, bytes) = (self.dropped_lines, self.dropped_bytes);
        if bytes == 0 {
            return Ok(());
        }
        (self.dropped_lines, self.dropped_bytes) = (0, 0);
        self.say(&format!("The log is full: {lines} more lines ({bytes} bytes) were dropped"))
    }

    /// Shows readers what was added.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.pending)?;
        self.file_bytes += self.pending.len() as u64;
        self.pending.clear();
        match self.policy {
            Policy::DropOld { bytes } if bytes / SEGMENTS <= self.file_bytes => self.rotate(bytes),
            Policy::DropOld { .. } | Policy::DropNew { .. } => Ok(()),
        }
    }

    fn record(
        &mut self,
        stream: LogStream,
        text: &LogText,
        time: DateTime<Utc>,
        source: Option<String>,
    ) -> io::Result<()> {
        // Clocks are set back, and those of two machines differ; the order stays.
        self.last_micros = time.timestamp_micros().max(self.last_micros);
        let text = text.as_str().to_owned();
        let record = Record(self.next, self.last_micros, stream.into(), text, source);
        let before = self.pending.len();
        serde_json::to_writer(&mut self.pending, &record)?;
        self.pending.push(b'\n');
        self.total_bytes += (self.pending.len() - before) as u64;
        self.next += 1;
        Ok(())
    }

    fn rotate(&mut self, bytes: u64) -> io::Result<()> {
        let path = segment(&self.folder, self.next);
        self.file = File::options().create(true).append(true).open(path)?;
        self.file_bytes = 0;
        let known = segments(&self.folder);
        for first in known.iter().take(known.len().saturating_sub(1)) {
            if segments_bytes(&self.folder) <= bytes - bytes / SEGMENTS {
                break;
            }
            fs::remove_file(segment(&self.folder, *first))?;
        }
        Ok(())
    }
}

/// Has the spool that will be in this folder begin with this number, unless there is one.
pub fn begin_at(folder: &Path, first: u64) -> io::Result<()> {
    if segments(folder).is_empty() {
        // It takes its first number from the name of its first file.
        File::create(segment(folder, first))?;
    }
    Ok(())
}

/// The file whose first line has this number.
fn segment(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("log.{first:020}"))
}

/// The numbers of the first lines of all files, in order.
fn segments(folder: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<u64> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("log.")?.parse().ok())
        .collect();
    found.sort_unstable();
    found
}

fn segments_bytes(folder: &Path) -> u64 {
    let sizes = segments(folder).into_iter().map(|first| fs::metadata(segment(folder, first)));
    sizes.flatten().map(|metadata| metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write as _, path::Path};

    use windlass_domain::LogStream;
    use windlass_engine::EngineLine;

    use super::{Policy, Reader, Spool, segment, segments_bytes};

    fn read(folder: &Path, from: u64) -> Vec<EngineLine> {
        let mut reader = Reader::new(folder, from);
        std::iter::from_fn(|| Some(reader.read().unwrap()).filter(|batch| !batch.is_empty()))
            .flatten()
            .collect()
    }

    fn fill(folder: &Path, policy: Policy, count: u64) -> Spool {
        let mut spool = Spool::open(folder, policy).unwrap();
        for number in 0..count {
            spool.print(LogStream::Stdout, format!("line {number}").as_bytes()).unwrap();
            spool.flush().unwrap();
        }
        spool
    }

    #[test]
    fn a_reader_begins_where_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), Policy::DropNew { bytes: 1 << 20 }, 10);
        let lines = read(folder.path(), 7);
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(lines[0].text.as_str(), "line 7");
    }

    #[test]
    fn a_torn_record_is_not_read_and_the_next_writer_goes_on_before_it() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), Policy::DropNew { bytes: 1 << 20 }, 2);
        let path = segment(folder.path(), 0);
        let mut file = File::options().append(true).open(path).unwrap();
        file.write_all(b"[2,17,\"o\",\"to").unwrap();
        assert_eq!(read(folder.path(), 0).len(), 2);

        let mut spool = Spool::open(folder.path(), Policy::DropNew { bytes: 1 << 20 }).unwrap();
        spool.say("after").unwrap();
        let lines = read(folder.path(), 0);
        assert_eq!((lines.len(), lines[2].number, lines[2].text.as_str()), (3, 2, "after"));
    }

    #[test]
    fn a_full_log_drops_new_lines_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = fill(folder.path(), Policy::DropNew { bytes: 1_000 }, 1_000);
        spool.confess().unwrap();
        let lines = read(folder.path(), 0);
        let last = lines.last().unwrap();
        assert!(segments_bytes(folder.path()) < 1_300);
        assert_eq!(last.stream, LogStream::System);
        let dropped = format!("{} more lines", 1_000 - (lines.len() - 1));
        assert!(last.text.as_str().contains(&dropped), "{last:?}");
    }

    #[test]
    fn a_rotating_log_keeps_the_newest_lines_with_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), Policy::DropOld { bytes: 4_000 }, 1_000);
        assert!(segments_bytes(folder.path()) < 5_000);
        let lines = read(folder.path(), 0);
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert!(numbers.len() > 50);
        assert_eq!(numbers, ((1_000 - numbers.len() as u64)..1_000).collect::<Vec<_>>());
    }
}
