//! What was typed at the prompt, without the secrets.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use clap::Parser as _;

use crate::{
    arguments::Arguments,
    failure::{Failure, Result},
    profile,
};

/// How many lines of earlier shells are remembered.
const REMEMBERED: usize = 1_000;

/// A file with a line for each line.
pub(super) struct History {
    path: PathBuf,
    earlier: String,
}

impl History {
    pub(super) fn open() -> Result<Self> {
        let path = profile::history()?;
        let earlier = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == ErrorKind::NotFound => String::new(),
            Err(err) => return Err(Failure::file("reading", path)(err)),
        };
        Ok(Self { path, earlier })
    }

    /// What was typed into earlier shells, oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let forgotten = self.earlier.lines().count().saturating_sub(REMEMBERED);
        self.earlier.lines().skip(forgotten)
    }

    /// Writes a line down, unless its words have a secret in them, or may have: in a command that
    /// is not understood, anything may stand anywhere.
    pub(super) fn keep(&self, line: &str, words: &[String]) -> Result<()> {
        if !is_harmless(words) {
            return Ok(());
        }
        let mut file = self.file().map_err(Failure::file("writing", &self.path))?;
        writeln!(file, "{line}").map_err(Failure::file("writing", &self.path))
    }

    fn file(&self) -> std::io::Result<File> {
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)
    }
}

fn is_harmless(words: &[String]) -> bool {
    let words = std::iter::once("windlass").chain(words.iter().map(String::as_str));
    let understood = Arguments::try_parse_from(words);
    understood.is_ok_and(|arguments| !arguments.command.tells_a_secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_kept(line: &str) -> bool {
        is_harmless(&shlex::split(line).unwrap())
    }

    #[test]
    fn commands_are_kept() {
        assert!(is_kept("projects list"));
        assert!(is_kept("env set DATABASE_URL --project shop"));
    }

    #[test]
    fn a_value_is_not_kept() {
        assert!(!is_kept("env set DATABASE_URL=postgres://secret --project shop"));
        assert!(!is_kept("env set --project shop 'A=b c'"));
    }

    #[test]
    fn what_is_not_understood_is_not_kept() {
        assert!(!is_kept("env put A=secret"));
        assert!(!is_kept("login --with-key wls_secret"));
        assert!(!is_kept("login wls_secret"));
        assert!(is_kept("login https://windlass.example.com"));
    }
}
