//! Names that people give to things.

use std::{fmt, str::FromStr};

/// A name of 1 to 100 printable characters, without blanks at its ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not 1 to 100 characters long.
    #[error("must be 1 to 100 characters long")]
    Length,
    /// A control, formatting or private character, which would not be seen or would mislead.
    #[error("must not contain control or invisible formatting characters")]
    Character,
    /// Blanks at an end are invisible and make two names look alike.
    #[error("must not begin or end with a blank")]
    Blank,
}

impl Name {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that are not seen or that turn the direction of others (Unicode's Bidi controls,
/// zero-width characters, the byte order mark, tags, unassigned specials).
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || 100 < text.chars().take(101).count() {
            return Err(NameError::Length);
        }
        if text.chars().any(is_unprintable) {
            return Err(NameError::Character);
        }
        if text.trim() != text {
            return Err(NameError::Blank);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
