//! `windlass`: Windlass's command line, over its HTTP API alone.

mod arguments;
mod checkout;
mod client;
mod commands;
mod context;
mod duration;
mod environment;
mod failure;
mod input;
mod output;
mod profile;

use std::process::ExitCode;

use clap::Parser as _;

use self::{arguments::Arguments, context::Context};

fn main() -> ExitCode {
    let Arguments { global, command } = Arguments::parse();
    let context = Context::new(global);
    match command.run(&context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.output.complain(&failure);
            failure.exit_code()
        }
    }
}
