//! `windlass shell`

use std::{
    env,
    process::Command,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use rustyline::{CompletionType, Config, Editor, error::ReadlineError, history::MemHistory};
use signal_hook::{consts::SIGINT, flag};

use self::{completion::Completion, history::History};
use crate::{
    arguments::Global,
    context::Context,
    failure::{Failure, Result},
    output,
};

mod completion;
mod history;

const PROMPT: &str = "windlass> ";

/// Run commands from a prompt, with history and completion.
///
/// `exit` or Ctrl-D ends it. Lines with a secret in them are not written down.
#[derive(Debug, Args)]
pub(crate) struct Shell {}

impl Shell {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let config = Config::builder().completion_type(CompletionType::List).build();
        let history = MemHistory::with_config(&config);
        let mut editor: Editor<Completion, _> =
            Editor::with_history(config, history).map_err(|err| unusable(&err))?;
        editor.set_helper(Some(Completion::new()));
        let history = History::open()?;
        for line in history.lines() {
            editor.add_history_entry(line).map_err(|err| unusable(&err))?;
        }
        // Ctrl-C ends the command that runs, and not the shell.
        flag::register(SIGINT, Arc::new(AtomicBool::new(false))).map_err(Failure::Input)?;
        loop {
            let line = match editor.readline(PROMPT) {
                Ok(line) => line.trim().to_owned(),
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(err) => return Err(unusable(&err)),
            };
            if line.is_empty() {
                continue;
            }
            editor.add_history_entry(&line).map_err(|err| unusable(&err))?;
            let Some(words) = shlex::split(&line) else {
                output::note("error: a quotation is not closed");
                continue;
            };
            let words = without_own_name(&words);
            match words {
                [word] if word == "exit" || word == "quit" => return Ok(()),
                [word, ..] if word == "shell" => {
                    output::note("error: this is it");
                    continue;
                }
                _ => {}
            }
            history.keep(&line, words)?;
            run(context, words)?;
        }
    }
}

/// Runs a command as a process of its own: whatever becomes of it, the prompt is there again.
fn run(context: &Context, words: &[String]) -> Result<()> {
    let program = env::current_exe().map_err(Failure::Input)?;
    let mut command = Command::new(&program);
    command.args(words);
    let Global { json: _, profile, server } = &context.global;
    if let Some(profile) = profile {
        command.env("WINDLASS_PROFILE", profile);
    }
    if let Some(server) = server {
        command.env("WINDLASS_SERVER", server);
    }
    // It has said itself how it went.
    command.status().map_err(Failure::file("running", program))?;
    Ok(())
}

/// Lines are often copied from where they begin with the program's name.
fn without_own_name(words: &[String]) -> &[String] {
    match words {
        [name, rest @ ..] if name == "windlass" => rest,
        _ => words,
    }
}

fn unusable(err: &ReadlineError) -> Failure {
    Failure::Failed(format!("the terminal cannot be used: {err}"))
}
