//! What is printed: tables for people, the API's JSON for programs, failures to standard error.

use std::{
    error::Error as _,
    fmt::Display,
    io::{self, Write as _},
};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;
use windlass_manifest::Problem;

use crate::{
    client::Answer,
    failure::{Failure, Result},
};

mod printable;

pub(crate) use self::printable::{line as safe_line, log_text, moment};

/// Where and how a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

/// How something is shown to people.
pub(crate) trait Show {
    /// The columns of a list.
    const COLUMNS: &'static [&'static str];

    /// Its line in a list.
    fn cells(&self) -> Vec<String>;

    /// What is shown beyond that where it is shown alone.
    fn details(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Shows one thing.
    pub(crate) fn one<T: Show>(self, answer: &Answer<T>) -> Result<()> {
        if self.json {
            return json(&answer.json);
        }
        let cells = answer.cells();
        let facts = T::COLUMNS.iter().copied().zip(cells).chain(answer.details());
        let mut table = table();
        for (name, value) in facts.filter(|(_, value)| !value.is_empty()) {
            table.add_row([name.to_lowercase(), printable::line(&value)]);
        }
        text(laid_out(table))
    }

    /// Shows a list.
    pub(crate) fn many<T: Show>(self, answers: &[Answer<T>]) -> Result<()> {
        if self.json {
            let values: Vec<&Value> = answers.iter().map(|answer| &answer.json).collect();
            return json(&values);
        }
        if answers.is_empty() {
            note("there are none");
            return Ok(());
        }
        let mut table = table();
        table.set_header(T::COLUMNS.iter().map(|name| name.to_uppercase()));
        for answer in answers {
            table.add_row(answer.cells().iter().map(|cell| printable::line(cell)));
        }
        text(laid_out(table))
    }

    /// Says what has been done, to people only: for programs there is the exit code.
    pub(crate) fn done(self, sentence: impl Display) -> Result<()> {
        if self.json { Ok(()) } else { text(sentence) }
    }

    /// Says why a command failed, and what to do about it.
    pub(crate) fn complain(self, failure: &Failure) {
        if failure.is_lost_reader() {
            return;
        }
        if self.json {
            note(as_json(failure));
            return;
        }
        if let Failure::Manifest(problems) = failure {
            // As compilers write it, so that editors find the places.
            for problem in problems {
                note(printable::line(&problem.to_string()));
            }
            return;
        }
        note(format_args!("error: {}", printable::line(&chain(failure))));
        if let Some(advice) = failure.advice() {
            note(format_args!("  {advice}"));
        }
        if let Failure::Refused(refusal) = failure
            && let Some(id) = &refusal.request_id
        {
            let id = printable::line(id);
            note(format_args!("  whoever runs the server can look up request {id}"));
        }
    }
}

/// Prints JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    text(serde_json::to_string_pretty(value).map_err(|err| Failure::Output(err.into()))?)
}

/// Prints a line of the result.
pub(crate) fn text(line: impl Display) -> Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Says something that is not the result, to standard error.
pub(crate) fn note(text: impl Display) {
    // Nobody who reads it is no reason to fail.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Without lines, and never wrapped: it may be read by `awk`.
fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// With two spaces between columns, and none before the first.
fn laid_out(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// A failure with its causes, on one line.
fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(err) = cause {
        text = format!("{text}: {err}");
        cause = err.source();
    }
    text
}

/// The API's own words where there are any.
fn as_json(failure: &Failure) -> Value {
    if let Failure::Refused(refusal) = failure
        && let Some(body) = &refusal.json
    {
        return body.clone();
    }
    let mut body = serde_json::json!({ "code": failure.name(), "message": chain(failure) });
    if let Failure::Manifest(problems) = failure {
        body["problems"] = problems.iter().map(problem_as_json).collect();
    }
    body
}

fn problem_as_json(problem: &Problem) -> Value {
    let Problem { file, line, column, field, message } = problem;
    serde_json::json!({
        "file": file,
        "line": line,
        "column": column,
        "field": field,
        "message": message,
    })
}
