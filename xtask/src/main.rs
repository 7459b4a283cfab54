//! Developer tasks of Windlass: `cargo xtask --help`.

mod bench;
mod client;
mod crash;
mod demo;
mod dice;
mod docker;
mod git;
mod load;
mod openapi;
mod postgres;
mod process;
mod server;
mod terminal;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::process::Interrupted;

/// How a shell names the end of what Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Developer tasks of Windlass.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Show Windlass at work: deploy a small app, redeploy it under load, see what it cost.
    Demo(demo::Options),
    /// Check everything, on SQLite and on a PostgreSQL started for it.
    Test(test::Options),
    /// What continuous integration runs: `test`, and the licences and sources of dependencies.
    Ci,
    /// Check the house rules that neither rustc nor clippy knows.
    Tidy,
    /// Write `openapi/windlass.json` from the handlers, and its rendering in OpenAPI 3.0.
    Openapi(openapi::Options),
    /// Measure against a bar, in one run with what it is compared with.
    Bench(bench::Options),
    /// Kill a busy server again and again, then see whether anything was lost.
    Crash(crash::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Demo(options) => demo::run(&options).await,
        // These two say themselves how it went, in their last line.
        Task::Test(options) => return test::run(&options).await,
        Task::Ci => return test::ci().await,
        Task::Tidy => tidy::run(),
        Task::Openapi(options) => openapi::run(&options).await,
        Task::Bench(options) => process::until_interrupted(bench::run(&options)).await,
        Task::Crash(options) => process::until_interrupted(crash::run(&options)).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&format!("{error:#}"));
            if error.is::<Interrupted>() { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
        }
    }
}
