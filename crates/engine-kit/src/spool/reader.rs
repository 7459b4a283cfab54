//! Reads the lines of a spool, also while it is written.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chrono::DateTime;
use windlass_domain::{LogStream, LogText};
use windlass_engine::EngineLine;

use super::{Record, Stream, segment, segments};

/// How much is read at once.
const CHUNK: u64 = 64 * 1024;

/// Reads from some line on.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    /// The number of the line that is wanted next.
    next: u64,
    open: Option<Segment>,
}

#[derive(Debug)]
struct Segment {
    first: u64,
    file: File,
    /// The beginning of a record whose end is not read yet.
    rest: Vec<u8>,
}

impl Reader {
    /// Reads from line `from` of the spool in this folder on.
    #[must_use]
    pub fn new(folder: &Path, from: u64) -> Self {
        Self { folder: folder.to_owned(), next: from, open: None }
    }

    /// The next lines; none when there are none yet.
    pub fn read(&mut self) -> io::Result<Vec<EngineLine>> {
        loop {
            if self.open.is_none() {
                self.open = self.open_first()?;
            }
            let Some(Segment { first, .. }) = self.open else { return Ok(Vec::new()) };
            if self.fill()? {
                let lines = self.take_lines();
                if !lines.is_empty() {
                    return Ok(lines);
                }
                continue;
            }
            let Some(following) = segments(&self.folder).into_iter().find(|it| first < *it) else {
                return Ok(Vec::new());
            };
            // The writer begins a file only when this one is complete, so what it added before
            // that is there now.
            if !self.fill()? {
                self.open = self.open_file(following)?;
            }
        }
    }

    /// Reads on; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(open) = &mut self.open else { return Ok(false) };
        Ok(0 < (&open.file).take(CHUNK).read_to_end(&mut open.rest)?)
    }

    fn take_lines(&mut self) -> Vec<EngineLine> {
        let Some(open) = &mut self.open else { return Vec::new() };
        let Some(end) = open.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = open.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut open.rest, rest);
        let records = whole.split(|byte| *byte == b'\n');
        let lines = records.filter_map(|bytes| serde_json::from_slice(bytes).ok());
        let lines = lines.map(line).filter(|line| self.next <= line.number).collect::<Vec<_>>();
        if let Some(last) = lines.last() {
            self.next = last.number + 1;
        }
        lines
    }

    /// Opens the file that has the next line, or else the oldest that is left.
    fn open_first(&self) -> io::Result<Option<Segment>> {
        let known = segments(&self.folder);
        let wanted = known.iter().rev().find(|first| **first <= self.next).or(known.first());
        wanted.map_or(Ok(None), |first| self.open_file(*first))
    }

    /// `None` where the writer was quicker and has removed it.
    fn open_file(&self, first: u64) -> io::Result<Option<Segment>> {
        match File::open(segment(&self.folder, first)) {
            Ok(file) => Ok(Some(Segment { first, file, rest: Vec::new() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn line(Record(number, micros, stream, text, _): Record) -> EngineLine {
    let stream = match stream {
        Stream::Stdout => LogStream::Stdout,
        Stream::Stderr => LogStream::Stderr,
        Stream::System => LogStream::System,
    };
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    EngineLine { number, time, stream, text: LogText::from(text.as_str()) }
}
