//! Completes commands and their options.

use clap::{Command, CommandFactory as _};
use rustyline::{
    Context, Helper, completion::Completer, highlight::Highlighter, hint::Hinter,
    validate::Validator,
};

use crate::arguments::Arguments;

/// Knows every command.
pub(super) struct Completion {
    root: Command,
}

impl Completion {
    pub(super) fn new() -> Self {
        let mut root = Arguments::command();
        // Options that every command takes reach the commands only now.
        root.build();
        Self { root }
    }

    /// Where the word that the line ends with begins, and what it may become.
    fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let (before, word) = line.split_at(start);
        let before = before.split_whitespace().filter(|word| !word.starts_with('-'));
        let command = before
            .fold(&self.root, |command, name| command.find_subcommand(name).unwrap_or(command));
        let mut found: Vec<_> = if word.starts_with('-') {
            let options = command.get_arguments().filter(|option| !option.is_hide_set());
            options.filter_map(|option| Some(format!("--{}", option.get_long()?))).collect()
        } else {
            let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
            commands.map(|command| command.get_name().to_owned()).collect()
        };
        found.retain(|candidate| candidate.starts_with(word));
        found.sort();
        (start, found)
    }
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, mut candidates) = self.candidates(line.get(..position).unwrap_or(line));
        if let [only] = candidates.as_mut_slice() {
            // The next word may follow.
            only.push(' ');
        }
        Ok((start, candidates))
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {}
impl Validator for Completion {}
impl Helper for Completion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str) -> Vec<String> {
        Completion::new().candidates(line).1
    }

    #[test]
    fn commands_are_completed() {
        assert_eq!(completed("proj"), ["projects"]);
        assert_eq!(completed("deploy"), ["deploy", "deployments"]);
        assert_eq!(completed("projects de"), ["delete"]);
    }

    #[test]
    fn options_are_completed_with_those_of_every_command() {
        assert_eq!(completed("deploy --f"), ["--follow"]);
        assert_eq!(completed("projects list --j"), ["--json"]);
    }

    #[test]
    fn only_the_last_word_is_replaced() {
        assert_eq!(Completion::new().candidates("projects li"), (9, vec!["list".to_owned()]));
    }
}
