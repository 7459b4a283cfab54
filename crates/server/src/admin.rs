//! What an operator does to the database of a server, whether or not it runs.

mod import_keys;
mod rotate_root_key;
mod rotate_session_key;
mod set_plan;
mod set_up_link;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use tokio::runtime;
use windlass_storage_seaorm::SeaStore;

use crate::{ServeArgs, config::Config, data_dir, parts};

/// An operator's errand, and where the server keeps its rows.
#[derive(Args)]
pub(crate) struct AdminArgs {
    /// Configuration file of the server; `windlass.toml` is read where it is there.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The server's data folder [default: ./data].
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// The server's database [default: an `SQLite` file in the data folder].
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    #[command(subcommand)]
    errand: Errand,
}

#[derive(Subcommand)]
enum Errand {
    /// Let API keys in that were made elsewhere; they go on working as they are.
    ///
    /// Each line of the file is a JSON object:
    ///
    /// `{"prefix": "nxs_a1b2c3d4", "hash": "$2b$10$…", "name": "ci", "scopes": ["build"]}`
    ///
    /// `prefix` is the key's first characters, as many of them as are known; `hash` is its bcrypt hash.
    /// A line may also say `created_at`, `expires_at`, `project_ids`, `allowed_addresses` and `user_id`
    /// (whose key it is to be; the organization's first owner otherwise). A server that is running
    /// knows the keys at once. What became of each line is reported in JSON on standard output; lines
    /// that are refused are also named on standard error, and make the exit code 1. Importing a file
    /// again changes nothing.
    ImportKeys(import_keys::Arguments),
    /// Make a new key, with which tokens are signed from now on.
    ///
    /// Servers that are running use it within seconds. Tokens that were signed with older keys go on
    /// working, unless they are dropped.
    RotateRootKey(rotate_root_key::Arguments),
    /// Make a new key, with which sessions are signed from now on.
    ///
    /// Servers that are running use it within seconds. Sessions that were signed with older keys go
    /// on working, unless they are dropped: then everybody has to sign in again.
    RotateSessionKey(rotate_session_key::Arguments),
    /// Print a link with which the first owner's account is claimed (again): for an owner who has
    /// forgotten the password. It works once and for an hour; their sessions end when it is used.
    SetUpLink,
    /// Give an organization another plan, which says what it may use.
    ///
    /// Servers that are running go by it at once. What is in use stays, even where it is more than
    /// the plan allows.
    SetPlan(set_plan::Arguments),
}

/// Runs an errand. Its exit code says whether everything went well.
pub(crate) fn run(args: AdminArgs) -> anyhow::Result<ExitCode> {
    let AdminArgs { config, data_dir, database_url, errand } = args;
    let args = ServeArgs { config, data_dir, database_url, ..ServeArgs::default() };
    let config = Config::load(&args)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open_store(&config).await?;
        match errand {
            Errand::ImportKeys(arguments) => import_keys::run(&store, &arguments).await,
            Errand::RotateRootKey(arguments) => {
                rotate_root_key::run(&store, &config.server.data_dir, &arguments).await
            }
            Errand::RotateSessionKey(arguments) => {
                rotate_session_key::run(&store, &config.server.data_dir, &arguments).await
            }
            Errand::SetUpLink => set_up_link::run(&store, &config).await,
            Errand::SetPlan(arguments) => set_plan::run(&store, &config, &arguments).await,
        }
    })
}

/// Opens the database of a server that may be running: neither is its data folder taken, nor
/// anything made that is not there.
async fn open_store(config: &Config) -> anyhow::Result<SeaStore> {
    let file = data_dir::sqlite_file_in(&config.server.data_dir);
    if config.database.url.expose_secret().is_empty() {
        ensure!(
            file.is_file(),
            "there is no database in {}: name the server's `--data-dir` or `--database-url`",
            config.server.data_dir.display()
        );
    }
    let store = parts::connect(config, &file).await?;
    let pending = store.pending_migrations().await.context("cannot read the database")?;
    ensure!(
        pending.is_empty(),
        "the database is of another version: start this version's server once, or run its \
         `migrate`"
    );
    Ok(store)
}
