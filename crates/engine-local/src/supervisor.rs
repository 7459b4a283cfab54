//! The process that looks after one build, one task or one app, and outlives the server.

mod app;
mod bounds;
mod build;
mod errand;
mod running;
mod task;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use windlass_engine_kit::supervise;

use crate::{launch, order::Order};

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
    supervise::supervise(folder, |order: Order| async {
        match order {
            Order::Build(order) => build::run(folder, *order).await,
            Order::Task(order) => task::run(folder, *order).await,
            Order::App(order) => app::run(folder, *order).await,
        }
    })
}
