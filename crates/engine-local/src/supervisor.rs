//! The process that looks after one build or one app, and outlives the server.

mod app;
mod build;
mod control;
mod errand;
mod health;
mod meter;
mod output;
mod running;

use std::{
    ffi::OsString,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use rustix::{fs::Mode, process};

use crate::{
    claim::Claim,
    launch,
    layout::{REPORT, STATE},
    order::Order,
};

/// What a program that serves as supervisor does with its arguments; all else is left to it.
///
/// Call it first: before threads are started, and without settings of its own.
pub fn supervisor_main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments;
    let done = match arguments.next() {
        Some(word) if word == "supervise" => match arguments.next() {
            Some(folder) => supervise(&PathBuf::from(folder)),
            None => Err(io::Error::other("no folder is named")),
        },
        Some(word) if word == "join" => launch::join(arguments),
        Some(word) if word == "enter" => launch::enter(),
        Some(_) | None => Err(io::Error::other("this is started by the server, not by hand")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Reaches the project's log where a command could not be started.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("windlass: {error}\n"));
            ExitCode::from(127)
        }
    }
}

fn supervise(folder: &Path) -> io::Result<()> {
    // A server that was killed in the middle of its order has given none.
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let order: Order = serde_json::from_slice(&text)?;
    drop(text);

    // Fails where it leads a session already, which is as good.
    let _ = process::setsid();
    process::umask(Mode::from_raw_mode(0o077));
    process::set_child_subreaper(Some(process::getpid()))?;
    let claim = Claim::take(folder)?;
    if folder.join(REPORT).exists() || folder.join(STATE).exists() {
        return Ok(()); // Somebody else has done it.
    }
    // One thread starts every command: they end when it does.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = match order {
        Order::Build(order) => runtime.block_on(build::run(folder, *order)),
        Order::App(order) => runtime.block_on(app::run(folder, *order)),
    };
    drop(claim);
    done
}
