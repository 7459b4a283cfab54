//! Lines that builds and apps print.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{BuildId, EnvironmentId};

/// Names one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogId {
    /// What a build printed.
    Build(BuildId),
    /// What the apps of an environment printed, one after another.
    App(EnvironmentId),
}

impl LogId {
    /// The form in which a database stores it. Ids of both kinds never meet.
    #[must_use]
    pub fn to_uuid(self) -> Uuid {
        match self {
            Self::Build(id) => id.to_uuid(),
            Self::App(id) => id.to_uuid(),
        }
    }
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// The process's standard output.
    Stdout,
    /// The process's standard error.
    Stderr,
    /// Windlass itself.
    System,
}

impl LogStream {
    /// The stream's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::System => "system",
        }
    }
}

/// The text of one line: valid UTF-8 without NUL or line ends, at most [`LogText::MAX`] bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct LogText(String);

impl LogText {
    /// Most bytes in a line; longer ones are cut and end with ` [cut]`.
    pub const MAX: usize = 8_192;

    /// Makes any bytes a line: what is no UTF-8, NUL or a line end becomes U+FFFD.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let head = bytes.get(..Self::MAX).unwrap_or(bytes);
        let lossy = String::from_utf8_lossy(head);
        let mut text: String = lossy
            .chars()
            .map(|c| if matches!(c, '\0' | '\n' | '\r') { '\u{fffd}' } else { c })
            .collect();
        if Self::MAX < bytes.len() || Self::MAX < text.len() {
            let mut end = Self::MAX - 6;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str(" [cut]");
        }
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for LogText {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Debug for LogText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A line that is not yet stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogLine {
    /// When it was printed.
    pub time: DateTime<Utc>,
    /// Where it came from.
    pub stream: LogStream,
    /// What it says.
    pub text: LogText,
}

/// A stored line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Counts the log's lines from 1, without gaps.
    pub seq: u64,
    /// When it was printed.
    pub time: DateTime<Utc>,
    /// Where it came from.
    pub stream: LogStream,
    /// What it says.
    pub text: LogText,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::LogText;

    proptest! {
        #[test]
        fn any_bytes_become_a_line_that_every_database_stores(
            bytes in proptest::collection::vec(any::<u8>(), 0..20_000)
        ) {
            let text = LogText::from_bytes(&bytes);
            prop_assert!(text.as_str().len() <= LogText::MAX);
            prop_assert!(!text.as_str().contains(['\0', '\n', '\r']));
        }
    }
}
