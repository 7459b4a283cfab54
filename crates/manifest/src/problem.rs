//! What is wrong with a file.

use std::{error::Error, fmt};

use crate::position::Position;

/// How many problems are told at once.
const MOST: usize = 20;

/// Something that is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
    /// The path of the field, such as `app.port`; empty where it is the whole file.
    pub field: String,
    /// What was expected, and what is there instead.
    pub message: String,
}

/// Everything that is wrong with a file, in order of lines: one problem at least, 20 at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None where there is nothing wrong.
    pub(crate) fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.truncate(MOST);
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// One problem with a file as a whole.
    pub(crate) fn one(file: &str, at: Position, message: String) -> Self {
        Self(vec![Problem::new(file, at, String::new(), message)])
    }

    /// The problems, in order of lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl Problem {
    pub(crate) fn new(file: &str, at: Position, field: String, message: String) -> Self {
        let Position { line, column } = at;
        Self { file: file.to_owned(), line, column, field, message }
    }
}

impl<'p> IntoIterator for &'p Problems {
    type Item = &'p Problem;
    type IntoIter = std::slice::Iter<'p, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, field, message } = self;
        write!(f, "{file}:{line}:{column}: ")?;
        if !field.is_empty() {
            write!(f, "{field}: ")?;
        }
        f.write_str(message)
    }
}

/// One problem a line.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.iter().enumerate() {
            if index != 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl Error for Problems {}
