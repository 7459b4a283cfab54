//! The checked-in table of who may do what.

use std::collections::BTreeMap;

/// What is expected of one operation.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The operation's id.
    pub(crate) operation: &'static str,
    /// What opens it.
    pub(crate) needs: Needs,
    /// What each column's caller is answered, by column.
    pub(crate) cells: BTreeMap<Column, Expected>,
}

/// What opens an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// Any good credential.
    Credential,
    /// A session.
    Session,
    /// A permission.
    Permission {
        /// Its name.
        name: &'static str,
        /// The scope by which a refusal names it there.
        known_as: &'static str,
        /// Whether it opens the operation to somebody who has nothing else.
        is_enough: bool,
    },
}

/// A kind of caller: a group of the table, and a letter in it.
pub(crate) type Column = (&'static str, char);

/// What a caller is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// 2xx, with everything there is.
    Done,
    /// 2xx, showing nothing of the object that is asked about, and changing nothing of it.
    DoneElsewhere,
    /// 401.
    Unknown,
    /// 403.
    Forbidden,
    /// 403, because of where the request comes from.
    Elsewhere,
    /// 403, because it is somebody else's.
    NotYours,
    /// 403, because it would give away what the caller does not have.
    TooNarrow,
    /// 403, because it takes a person who has signed in.
    NoPerson,
    /// 403, because it takes a token.
    NoToken,
    /// 403, because it is for somebody else.
    NotTheAddressee,
    /// 403, because it was not begun in this browser.
    NotBegun,
    /// 403, because it takes the signature of a forge.
    Unsigned,
    /// 422: it is found by its text, which names nothing for the caller.
    Unfound,
    /// 404.
    Hidden,
    /// 409: it is allowed, but its state stands in the way.
    WrongState,
}

const TEXT: &str = include_str!("table.txt");
const GROUPS: [(&str, &str); 6] = [
    ("nobody", "nmuwxrg"),
    ("scope", "-bsura"),
    ("role", "vmao"),
    ("reach", "thew"),
    ("token", "rpal"),
    ("session", "vmaotxe"),
];

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(row).collect()
}

/// All columns.
pub(crate) fn columns() -> impl Iterator<Item = Column> {
    GROUPS.into_iter().flat_map(|(group, letters)| letters.chars().map(move |c| (group, c)))
}

fn row(line: &'static str) -> Row {
    let mut words = line.split_whitespace();
    let operation = words.next().expect("an operation");
    let needs = match words.next().expect("what it needs") {
        "-" => Needs::Nothing,
        "*" => Needs::Credential,
        "@" => Needs::Session,
        text => {
            let is_enough = !text.ends_with('+');
            let text = text.trim_end_matches('+');
            let (name, known_as) = text.split_once('=').unwrap_or((text, text));
            Needs::Permission { name, known_as, is_enough }
        }
    };
    let mut cells = BTreeMap::new();
    for (group, letters) in GROUPS {
        let word = words.next().unwrap_or_else(|| panic!("{operation} has no column {group}"));
        assert_eq!(word.len(), letters.len(), "{operation}: {group}");
        for (letter, cell) in letters.chars().zip(word.chars()) {
            cells.insert((group, letter), expected(cell));
        }
    }
    assert_eq!(words.next(), None, "{operation}");
    Row { operation, needs, cells }
}

fn expected(cell: char) -> Expected {
    match cell {
        '+' => Expected::Done,
        '.' => Expected::DoneElsewhere,
        '1' => Expected::Unknown,
        '3' => Expected::Forbidden,
        'x' => Expected::Elsewhere,
        'o' => Expected::NotYours,
        's' => Expected::NoPerson,
        't' => Expected::NoToken,
        'n' => Expected::NotTheAddressee,
        'b' => Expected::NotBegun,
        'f' => Expected::Unsigned,
        '2' => Expected::Unfound,
        '4' => Expected::Hidden,
        '9' => Expected::WrongState,
        _ => panic!("unknown cell {cell}"),
    }
}
