//! The server: reads the configuration, puts the parts together, listens, stops gracefully.

mod admin;
mod backing_services;
#[cfg(feature = "bench")]
mod bench;
mod config;
mod data_dir;
mod door;
mod github_app;
mod ingress_routes;
mod machinery;
mod parts;
mod plans;
mod serve;
mod shutdown;
mod tls;
mod trace;
mod waking;

use std::{
    io::{ErrorKind, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

/// Windlass: builds git repositories, runs them as apps, and meters what they cost.
#[derive(Parser)]
#[command(name = "windlass-server", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, the ingress and everything behind them. This is what happens without a
    /// command, too.
    Serve(ServeArgs),
    /// Bring the database up to date and leave.
    Migrate(ServeArgs),
    /// Look after the database of a server, which may be running.
    Admin(admin::AdminArgs),
    /// Print the `OpenAPI` document.
    Openapi,
    /// Print every setting with its default, as a configuration file.
    Settings,
    /// What the local engine starts; not for people.
    #[command(hide = true)]
    LocalEngine {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    /// What the Swarm engine starts; not for people.
    #[command(hide = true)]
    SwarmEngine {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
}

/// Each flag wins over the environment (`WINDLASS_SERVER__LISTEN` and so on) and over the
/// configuration file.
#[derive(Args, Default)]
pub(crate) struct ServeArgs {
    /// Configuration file; `windlass.toml` is read where it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for the database, secrets, builds and apps [default: ./data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the API listens; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where apps are reached; port 0 takes a free one [default: 127.0.0.1:8081].
    #[arg(long, value_name = "ADDR")]
    ingress_listen: Option<SocketAddr>,
    /// `postgres://…` or `sqlite://…` [default: an `SQLite` file in the data folder].
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Let projects name repositories on this machine's own disk.
    #[arg(long)]
    allow_local_git: bool,
    /// Stop the apps together with the server.
    #[arg(long)]
    stop_apps: bool,
}

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let outcome = match Arguments::parse().command {
        None => serve::run(&ServeArgs::default()).map(done),
        Some(Command::Serve(args)) => serve::run(&args).map(done),
        Some(Command::Migrate(args)) => serve::migrate(&args).map(done),
        Some(Command::Admin(args)) => admin::run(args),
        Some(Command::Openapi) => openapi().map(done),
        Some(Command::Settings) => print(config::DEFAULTS).map(done),
        Some(Command::LocalEngine { arguments }) => {
            return windlass_engine_local::supervisor_main(arguments.into_iter());
        }
        Some(Command::SwarmEngine { arguments }) => {
            return windlass_engine_swarm::supervisor_main(arguments.into_iter());
        }
    };
    outcome.unwrap_or_else(|err| {
        complain(&format!("error: {err:#}"));
        ExitCode::FAILURE
    })
}

fn openapi() -> anyhow::Result<()> {
    print(&windlass_http::openapi().to_pretty_json()?)
}

/// What a command is asked for goes to standard output; somebody may have closed it.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(err) if err.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// What people should know, beside what a command is asked for.
#[expect(clippy::print_stderr, reason = "there may be no log yet")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}
