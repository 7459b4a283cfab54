//! The commands. A noun is a file here, a variant of [`Command`] and a line in its `run`.

use clap::Subcommand;

use crate::{context::Context, failure::Result};

mod audit;
mod check;
mod completions;
mod deploy;
mod deployments;
mod env;
mod environments;
mod keys;
mod login;
mod logout;
mod logs;
mod man;
mod members;
mod open;
mod profiles;
mod projects;
mod quota;
mod shell;
mod target;
mod tokens;
mod usage;
mod watch;
mod webhooks;
mod whoami;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Login(login::Login),
    Logout(logout::Logout),
    Whoami(whoami::Whoami),
    #[command(subcommand)]
    Profiles(profiles::Profiles),
    #[command(subcommand)]
    Projects(projects::Projects),
    #[command(subcommand)]
    Environments(environments::Environments),
    Check(check::Check),
    Deploy(deploy::Deploy),
    #[command(subcommand)]
    Deployments(deployments::Deployments),
    Logs(logs::Logs),
    #[command(subcommand)]
    Env(env::Env),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Tokens(tokens::Tokens),
    #[command(subcommand)]
    Members(members::Members),
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    Usage(usage::Usage),
    Quota(quota::Quota),
    Audit(audit::Audit),
    Open(open::Open),
    Shell(shell::Shell),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Login(command) => command.run(context),
            Self::Logout(command) => command.run(context),
            Self::Whoami(command) => command.run(context),
            Self::Profiles(command) => command.run(context),
            Self::Projects(command) => command.run(context),
            Self::Environments(command) => command.run(context),
            Self::Check(command) => command.run(context),
            Self::Deploy(command) => command.run(context),
            Self::Deployments(command) => command.run(context),
            Self::Logs(command) => command.run(context),
            Self::Env(command) => command.run(context),
            Self::Keys(command) => command.run(context),
            Self::Tokens(command) => command.run(context),
            Self::Members(command) => command.run(context),
            Self::Webhooks(command) => command.run(context),
            Self::Usage(command) => command.run(context),
            Self::Quota(command) => command.run(context),
            Self::Audit(command) => command.run(context),
            Self::Open(command) => command.run(context),
            Self::Shell(command) => command.run(context),
            Self::Completions(command) => command.run(context),
            Self::Man(command) => command.run(context),
        }
    }

    /// Whether its words contain a secret, so that they must not be written down.
    pub(crate) fn tells_a_secret(&self) -> bool {
        matches!(self, Self::Env(env::Env::Set(set)) if set.tells_a_secret())
    }
}
