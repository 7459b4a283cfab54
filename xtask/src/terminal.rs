//! What a task shows: short steps with check marks and times.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Width of a step's text, so that the times stand below each other.
const WIDTH: usize = 64;

/// Prints a line.
pub(crate) fn say(line: impl Display) {
    // A reader that has gone away is no reason to fail.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints the reason for a failure to standard error.
pub(crate) fn complain(reason: &str) {
    let _ = writeln!(io::stderr(), "{} {reason}", paint("31", "✘"));
}

/// Prints a line that belongs to the step being done.
pub(crate) fn detail(line: impl Display) {
    say(format_args!("  {} {line}", paint("2", "│")));
}

/// Says that something holds, with how long it took.
pub(crate) fn done(text: impl Display, took: Duration) {
    // Only whole strings are padded.
    let text = text.to_string();
    say(format_args!("{} {text:WIDTH$} {}", paint("32", "✔"), paint("2", &seconds(took))));
}

/// Does one step of a task and shows how it went. A terminal also shows that it has begun.
pub(crate) async fn step<T>(
    text: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let begun = Begun::show(text);
    let start = Instant::now();
    let outcome = work.await;
    drop(begun);
    match &outcome {
        Ok(_) => done(text, start.elapsed()),
        Err(_) => say(format_args!("{} {text}", paint("31", "✘"))),
    }
    outcome
}

/// A terminal's line about a step that goes on, until this is dropped.
struct Begun;

impl Begun {
    fn show(text: &str) -> Option<Self> {
        let mut out = io::stdout();
        if !out.is_terminal() {
            return None;
        }
        let _ = write!(out, "{} {text} …", paint("2", "·"));
        let _ = out.flush();
        Some(Self)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut out = io::stdout();
        let _ = write!(out, "\r\u{1b}[2K");
        let _ = out.flush();
    }
}

/// A duration for people, to a tenth of a second.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

fn paint(code: &str, text: &str) -> String {
    if io::stdout().is_terminal() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
