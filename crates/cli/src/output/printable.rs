//! Text of others, made safe for a terminal.

/// On one line, without anything that a terminal would obey.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A line of a log: it may have colours, but nothing else that a terminal would obey.
pub(crate) fn log_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = colour_length(rest).unwrap_or(c.len_utf8());
        let (head, tail) = rest.split_at(length);
        if !c.is_control() || c == '\t' || 1 < length {
            safe.push_str(head);
        }
        rest = tail;
    }
    safe
}

/// How long the colour is that the text begins with: `ESC [ digits and semicolons m`.
fn colour_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    rest.get(end..)?.starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

/// A time of the API to the second: `2026-01-31 12:00:00Z`.
pub(crate) fn moment(time: &str) -> String {
    match (time.get(..10), time.get(11..19), time.ends_with('Z')) {
        (Some(day), Some(clock), true) => format!("{day} {clock}Z"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(line("a\u{1b}[2Jb\nc\u{9b}"), "a [2Jb c ");
    }

    #[test]
    fn a_log_keeps_its_colours_and_nothing_else() {
        assert_eq!(log_text("\u{1b}[1;31mred\u{1b}[0m\tend"), "\u{1b}[1;31mred\u{1b}[0m\tend");
        assert_eq!(log_text("\u{1b}[2J\u{1b}]0;title\u{7}é\r"), "[2J]0;titleé");
        assert_eq!(log_text("\u{1b}[31"), "[31");
    }

    #[test]
    fn a_time_is_shown_to_the_second() {
        assert_eq!(moment("2026-01-31T12:00:00.123456Z"), "2026-01-31 12:00:00Z");
        assert_eq!(moment("2026-01-31T12:00:00+01:00"), "2026-01-31T12:00:00+01:00");
        assert_eq!(moment("soon"), "soon");
    }
}
