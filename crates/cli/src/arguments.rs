//! What every command takes.

use clap::{Args, Parser};

use crate::commands::Command;

const AFTER_HELP: &str = "\
Exit codes:
  0  it was done
  1  it failed: a deployment did not become live, or the server has a fault
  2  the arguments or their values cannot be accepted
  3  there is no credential, or not a good one
  4  the credential grants too little
  5  there is no such thing, or not for this credential
  6  it does not go together with how things are
  7  the server cannot be reached, or asks to try again later

Environment:
  WINDLASS_TOKEN    the credential, instead of a stored one
  WINDLASS_SERVER   see --server
  WINDLASS_PROFILE  see --profile
  WINDLASS_PROJECT  see --project of the commands that have it";

/// Deploys git repositories with a Windlass server.
#[derive(Debug, Parser)]
#[command(name = "windlass", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Print the API's JSON instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The stored server and credential to use; `windlass profiles` lists them.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "WINDLASS_PROFILE",
        hide_env_values = true
    )]
    pub(crate) profile: Option<String>,
    /// The server's address, such as `https://windlass.example.com`, instead of the profile's.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "WINDLASS_SERVER",
        hide_env_values = true
    )]
    pub(crate) server: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_agree_with_each_other() {
        Arguments::command().debug_assert();
    }
}
