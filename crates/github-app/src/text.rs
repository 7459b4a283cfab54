//! Text for GitHub: short enough, and nothing in it but what it says.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use windlass_domain::is_unprintable;

/// Most characters of a description that GitHub takes.
pub(crate) const MOST_OF_A_DESCRIPTION: usize = 140;

/// What a marker may contain besides letters and digits: nothing that could end a comment of HTML.
const MARKER: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b':').remove(b'/');

/// At most so many characters, of which the last is `…` where something is left out.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A description as GitHub takes it.
pub(crate) fn description(text: &str) -> String {
    cut(&printable(text), MOST_OF_A_DESCRIPTION)
}

/// One line without invisible characters.
pub(crate) fn printable(text: &str) -> String {
    let printable = |c: char| if c.is_whitespace() { Some(' ') } else { visible(c) };
    text.chars().filter_map(printable).collect::<String>().trim().to_owned()
}

fn visible(c: char) -> Option<char> {
    (!is_unprintable(c)).then_some(c)
}

/// Text within Markdown or HTML that stays that text: no link, no mention, no cell, no element.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in printable(text).chars() {
        if c.is_ascii_punctuation() {
            escaped.extend(["&#", &u32::from(c).to_string(), ";"]);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The line by which a comment is found again, and which nobody sees.
pub(crate) fn marker_line(marker: &str) -> String {
    format!("<!-- windlass:{} -->", utf8_percent_encode(marker, MARKER))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{cut, description, escape, marker_line};

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("größe", 5), "größe");
        assert_eq!(cut("größer", 5), "größ…");
        assert_eq!(description(&"ä".repeat(200)).chars().count(), 140);
        assert_eq!(description(" two\r\nlines \u{202e}"), "two  lines");
    }

    #[test]
    fn a_mention_is_not_one_once_it_is_escaped() {
        assert_eq!(escape("@octo|`<b>`"), "&#64;octo&#124;&#96;&#60;b&#62;&#96;");
    }

    #[test]
    fn a_marker_cannot_end_its_line() {
        assert_eq!(marker_line("prj_1/env-2"), "<!-- windlass:prj_1/env-2 -->");
        assert_eq!(marker_line("-->\n@all"), "<!-- windlass:--%3E%0A%40all -->");
    }

    proptest! {
        #[test]
        fn nothing_escapes(text in any::<String>()) {
            let escaped = escape(&text);
            let special = |c: char| c.is_ascii_punctuation() && !matches!(c, '&' | '#' | ';');
            assert!(!escaped.contains(special) && !escaped.contains(['\n', '\r']), "{escaped:?}");
            let line = marker_line(&text);
            assert!(line.find('>') == Some(line.len() - 1), "{line:?}");
        }
    }
}
