//! Server-sent events, as browsers read them.

/// One event.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// Its type, where it is not the ordinary one.
    pub(super) name: Option<String>,
    /// What it carries.
    pub(super) data: String,
}

/// Puts events together from pieces of a stream.
#[derive(Debug, Default)]
pub(super) struct Parser {
    rest: Vec<u8>,
    event: Event,
}

impl Parser {
    /// Takes the stream's next bytes and returns the events that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8_lossy(&self.rest).trim_end_matches('\r').to_owned();
                self.rest.clear();
                events.extend(self.line(&line));
            } else {
                self.rest.push(*byte);
            }
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (event != Event::default()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = Some(value.to_owned()),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment keeps the connection alive; the number is in the data, too.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_however_the_stream_is_cut() {
        let stream = ": hello\n\nid: 1\ndata: one\r\n\r\nevent: end\ndata: a\ndata: b\n\n";
        let wanted = [
            Event { name: None, data: "one".to_owned() },
            Event { name: Some("end".to_owned()), data: "a\nb".to_owned() },
        ];
        for size in 1..=stream.len() {
            let mut parser = Parser::default();
            let events: Vec<Event> =
                stream.as_bytes().chunks(size).flat_map(|piece| parser.push(piece)).collect();
            assert_eq!(events, wanted, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn an_event_without_its_empty_line_is_not_there_yet() {
        assert_eq!(Parser::default().push(b"data: half\n"), []);
    }
}
