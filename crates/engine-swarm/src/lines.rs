//! Lines as Docker keeps them, copied into a spool, once.
//!
//! Docker's lines have times and no numbers. So each copied line says which container's it is and of
//! which moment: whoever goes on with the copying knows from the spool what is there already.

use std::{collections::HashMap, path::Path};

use bollard::container::LogOutput;
use chrono::{DateTime, Utc};
use windlass_domain::{LogStream, LogText};
use windlass_engine_kit::spool::Spool;

/// How far the log of a container was copied: up to the time of its last line in microseconds, and how
/// many lines are of that time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) micros: i64,
    lines: u64,
}

impl Place {
    fn advance(&mut self, micros: i64) {
        if micros == self.micros {
            self.lines += 1;
        } else {
            *self = Self { micros, lines: 1 };
        }
    }
}

/// Where copying goes on, from what the spool's lines say of themselves.
pub(crate) fn places(folder: &Path) -> HashMap<String, Place> {
    let mut places: HashMap<String, Place> = HashMap::new();
    for source in Spool::sources(folder) {
        if let Some((task, micros)) = source.split_once('@')
            && let Ok(micros) = micros.parse()
        {
            places.entry(task.to_owned()).or_default().advance(micros);
        }
    }
    places
}

/// Takes the frames of one stream of Docker's, without those that are known.
pub(crate) struct Taker {
    pub(crate) source: String,
    /// What was copied before the stream began; its `lines` are those still to be passed over.
    known: Place,
    pub(crate) place: Place,
    /// A line whose end has not come yet: Docker cuts those that are too long.
    begun: Option<(DateTime<Utc>, LogStream, Vec<u8>)>,
}

impl Taker {
    /// Goes on behind what was copied from this source.
    pub(crate) fn new(source: &str, known: Place) -> Self {
        Self { source: source.to_owned(), known, place: known, begun: None }
    }

    pub(crate) fn take(&mut self, frame: &LogOutput, spool: &mut Spool) {
        let stream = match frame {
            LogOutput::StdErr { .. } => LogStream::Stderr,
            LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
                LogStream::Stdout
            }
        };
        let Some((time, text)) = parse(frame.as_ref()) else { return };
        let (time, stream, mut line) =
            self.begun.take().unwrap_or_else(|| (time, stream, Vec::new()));
        // One byte more than fits, so that the cut shows.
        let room = (LogText::MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(text.get(..room).unwrap_or(text));
        self.begun = Some((time, stream, line));
        if text.ends_with(b"\n") {
            self.end(spool);
        }
    }

    pub(crate) fn end(&mut self, spool: &mut Spool) {
        let Some((time, stream, line)) = self.begun.take() else { return };
        let micros = time.timestamp_micros();
        if micros < self.known.micros {
            return;
        }
        if micros == self.known.micros && 0 < self.known.lines {
            self.known.lines -= 1;
            return;
        }
        self.place.advance(micros);
        let source = format!("{}@{micros}", self.source);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let _ = spool.print_from(stream, line, time, &source);
    }
}

/// A line of Docker's: when it was printed, a blank, and the text with its end.
fn parse(frame: &[u8]) -> Option<(DateTime<Utc>, &[u8])> {
    let blank = frame.iter().position(|byte| *byte == b' ')?;
    let (time, text) = frame.split_at_checked(blank)?;
    let time = DateTime::parse_from_rfc3339(str::from_utf8(time).ok()?).ok()?;
    Some((time.to_utc(), text.get(1..)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bollard::container::LogOutput;
    use windlass_domain::LogStream;
    use windlass_engine_kit::spool::{Policy, Reader, Spool};

    use super::{Place, Taker, places};

    fn frame(second: u32, text: &str) -> LogOutput {
        let message = format!("2026-01-02T03:04:{second:02}.000000001Z {text}").into();
        LogOutput::StdOut { message }
    }

    fn taken(folder: &Path, frames: &[LogOutput]) -> Vec<String> {
        let known = places(folder).get("t1").copied().unwrap_or_default();
        let mut taker = Taker::new("t1", known);
        let mut spool = Spool::open(folder, Policy::DropOld { bytes: 1 << 20 }).unwrap();
        for frame in frames {
            taker.take(frame, &mut spool);
        }
        taker.end(&mut spool);
        spool.flush().unwrap();
        let lines = Reader::new(folder, 0).read().unwrap();
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, (0..lines.len() as u64).collect::<Vec<_>>());
        assert!(lines.iter().all(|line| line.stream == LogStream::Stdout));
        lines.into_iter().map(|line| line.text.as_str().to_owned()).collect()
    }

    #[test]
    fn lines_that_were_copied_are_not_copied_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let all =
            [frame(1, "a\n"), frame(2, "b\n"), frame(2, "b\n"), frame(2, "c\n"), frame(3, "d\n")];
        assert_eq!(taken(folder.path(), &all[..3]), ["a", "b", "b"]);
        assert_eq!(places(folder.path())["t1"].lines, 2);
        assert_eq!(taken(folder.path(), &all[1..]), ["a", "b", "b", "c", "d"]);
        assert_eq!(taken(folder.path(), &all), ["a", "b", "b", "c", "d"]);
    }

    #[test]
    fn what_docker_has_cut_is_one_line_again() {
        let folder = tempfile::tempdir().unwrap();
        let frames = [frame(1, "one "), frame(2, "line\n"), frame(3, "no end")];
        assert_eq!(taken(folder.path(), &frames), ["one line", "no end"]);
    }

    #[test]
    fn a_place_counts_the_lines_of_its_moment() {
        let mut place = Place::default();
        for micros in [5, 5, 7] {
            place.advance(micros);
        }
        assert_eq!(place, Place { micros: 7, lines: 1 });
    }
}
