//! Where something stands in a text.

use granit_parser::Marker;

/// A line and a column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Position {
    /// Where a text begins.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Where one is after some text. A line ends as it does in YAML: with LF, CR LF or CR.
    pub(crate) fn after(text: &str) -> Self {
        let mut position = Self::START;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '\r' if characters.peek() == Some(&'\n') => {}
                '\n' | '\r' => position = Self { line: position.line + 1, column: 1 },
                _ => position.column += 1,
            }
        }
        position
    }
}

impl From<Marker> for Position {
    fn from(marker: Marker) -> Self {
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self { line: number(marker.line()).max(1), column: number(marker.col()).saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn lines_end_as_they_do_in_yaml() {
        for (text, line, column) in
            [("", 1, 1), ("é", 1, 2), ("a\n", 2, 1), ("a\r\nb", 2, 2), ("a\rb\r", 3, 1)]
        {
            assert_eq!(Position::after(text), Position { line, column }, "{text:?}");
        }
    }
}
