//! What a single value is, by the core schema of YAML 1.2.

use std::fmt;

/// How much of a text is repeated in a message.
const EXCERPT: usize = 40;

/// A single value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'t> {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`, as written.
    Bool(bool, &'t str),
    /// A number, and how it is written.
    Number(f64, &'t str),
    /// Anything else, and whatever stands in quotes.
    Text(&'t str),
}

impl<'t> Scalar<'t> {
    /// What a text is that stands without quotes.
    pub(crate) fn of_plain(text: &'t str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true, text),
            "false" | "False" | "FALSE" => Self::Bool(false, text),
            _ => number(text).map_or(Self::Text(text), |number| Self::Number(number, text)),
        }
    }

    /// The text as written, where there is one.
    pub(crate) fn as_written(self) -> Option<&'t str> {
        match self {
            Self::Null => None,
            Self::Bool(_, text) | Self::Number(_, text) | Self::Text(text) => Some(text),
        }
    }
}

fn number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return in_base(16, digits);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return in_base(8, digits);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    // Rust's numbers are those of YAML, but for words such as `inf`.
    let begins = unsigned.starts_with(|c: char| c == '.' || c.is_ascii_digit());
    if begins { text.parse().ok() } else { None }
}

fn in_base(base: u32, digits: &str) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |number, digit| {
        Some(number * f64::from(base) + f64::from(digit.to_digit(base)?))
    })
}

/// As a message shows it: what could be misread in a terminal is escaped.
impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("empty"),
            Self::Bool(_, text) | Self::Number(_, text) => f.write_str(&excerpt(text)),
            Self::Text(text) => write!(f, "\"{}\"", excerpt(text)),
        }
    }
}

/// The beginning of a text of somebody else, fit to be shown.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown: String = text.chars().take(EXCERPT).flat_map(char::escape_debug).collect();
    if text.chars().nth(EXCERPT).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Scalar, excerpt};

    #[test]
    fn numbers_are_those_of_yaml() {
        for (text, number) in [
            ("0", 0.0),
            ("007", 7.0),
            ("-1", -1.0),
            ("+8.", 8.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1.5E-1", 0.15),
            ("0x1F", 31.0),
            ("0o17", 15.0),
            ("-.inf", f64::INFINITY),
        ] {
            assert_eq!(Scalar::of_plain(text), Scalar::Number(number, text), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_text() {
        for text in ["inf", "nan", "infinity", ".", "-", "+.", "1e", "1_000", "0x", "0o8", "-0x1"] {
            assert_eq!(Scalar::of_plain(text), Scalar::Text(text), "{text}");
        }
    }

    #[test]
    fn yes_and_no_are_words() {
        for text in ["yes", "no", "on", "off", "y", "tRUE"] {
            assert_eq!(Scalar::of_plain(text), Scalar::Text(text), "{text}");
        }
    }

    #[test]
    fn long_and_misleading_text_is_shown_safely() {
        assert_eq!(excerpt("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(excerpt(&"x".repeat(50_000)), format!("{}…", "x".repeat(40)));
    }
}
