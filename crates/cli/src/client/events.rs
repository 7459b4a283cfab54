//! A log as a stream of server-sent events.

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
};

use serde::Deserialize;
use serde_json::Value;

use super::Answer;

/// The longest line of a stream: many times as long as the longest line of a log.
const LONGEST: u64 = 4 << 20;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct LogLine {
    /// Counts the log's lines from 1.
    pub(crate) seq: u64,
    pub(crate) text: String,
}

/// What a stream says next.
#[derive(Debug)]
pub(crate) enum Event {
    Line(Answer<LogLine>),
    /// Nothing can follow.
    End,
}

/// Lines as they come. It is over where the connection breaks off, too.
pub(crate) struct Stream {
    reader: Box<dyn BufRead>,
}

impl Stream {
    pub(crate) fn new(reader: impl Read + 'static) -> Self {
        Self { reader: Box::new(BufReader::new(reader)) }
    }

    /// A line without its end; `None` where there are no more.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = (&mut self.reader).take(LONGEST).read_line(&mut line).ok()?;
        // What breaks off in the middle of a line has not been said.
        (0 < read && line.ends_with('\n')).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl Iterator for Stream {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut data = String::new();
        let mut is_end = false;
        loop {
            let line = self.line()?;
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => data.push_str(value),
                "event" => is_end = value == "end",
                "" if !line.is_empty() => {}
                "" if is_end => return Some(Event::End),
                "" => {
                    let json = serde_json::from_str::<Value>(&data).ok();
                    if let Some(line) = json.and_then(|json| Answer::new(json).ok()) {
                        return Some(Event::Line(line));
                    }
                    data.clear();
                }
                _ => {}
            }
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &'static str) -> Vec<String> {
        let events = Stream::new(text.as_bytes());
        events
            .map(|event| match event {
                Event::Line(line) => format!("{} {}", line.seq, line.text),
                Event::End => "end".to_owned(),
            })
            .collect()
    }

    #[test]
    fn lines_and_the_end_are_read() {
        let text = "id: 1\ndata: {\"seq\":1,\"text\":\"a\"}\n\n: still here\n\n\
                    id:2\r\ndata:{\"seq\":2,\"text\":\"b\"}\r\n\r\nevent: end\ndata: {}\n\n";
        assert_eq!(said(text), ["1 a", "2 b", "end"]);
    }

    #[test]
    fn what_breaks_off_has_not_been_said() {
        assert_eq!(said("data: {\"seq\":1,\"text\":\"a\"}\n\ndata: {\"seq\":2"), ["1 a"]);
        assert_eq!(said("data: {\"seq\":1,\"text\":\"a\"}\n"), [""; 0]);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        assert_eq!(
            said("retry: 5\ndata: {\"more\":1}\n\ndata: {\"seq\":3,\"text\":\"c\"}\n\n"),
            ["3 c"]
        );
    }
}
