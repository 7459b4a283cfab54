//! The process that looks after one build or one task, and outlives the server.

mod build;
mod container;
mod context;
mod dockerfile;
mod ignore;
mod image;
mod output;
mod push;
mod recipe;
mod steps;
mod task;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use windlass_engine_kit::supervise::supervise;

use crate::order::Order;

pub(crate) use self::{image::credentials, steps::end_children};

/// What a program that serves as supervisor does with its arguments; all else is left to it.
///
/// Call it first: before threads are started, and without settings of its own.
pub fn supervisor_main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments;
    let done = match (arguments.next(), arguments.next()) {
        (Some(word), Some(folder)) if word == "supervise" => {
            let folder = PathBuf::from(folder);
            supervise(&folder, |order: Order| async {
                match order {
                    Order::Build(order) => build::run(&folder, *order).await,
                    Order::Task(order) => task::run(&folder, *order).await,
                }
            })
        }
        _ => Err(io::Error::other("this is started by the server, not by hand")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = io::stderr().write_fmt(format_args!("windlass: {error}\n"));
            ExitCode::from(127)
        }
    }
}
