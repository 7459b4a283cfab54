//! `windlass tokens attenuate` and `seal`: both work without a server.

use chrono::TimeDelta;
use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::json;
use windlass_auth::{Narrowing, Network, Permission, PlainToken, attenuate, inspect, seal};
use windlass_domain::{Clock as _, DeploymentId, EnvironmentId, OsEntropy, ProjectId, SystemClock};

use crate::{
    context::Context,
    duration,
    failure::{Failure, Result},
    input, output,
};

/// Make a narrower token out of a token, offline.
///
/// The token is asked for unseen, or read from standard input. It goes on working; revoking it
/// ends the narrower one, too.
#[derive(Debug, Args)]
pub(crate) struct Attenuate {
    /// Good for looking only.
    #[arg(long)]
    read_only: bool,
    /// The only permissions, such as `logs:read`; may be given several times, or with commas.
    #[arg(long = "permission", short = 'p', value_name = "PERMISSION", value_delimiter = ',')]
    permissions: Vec<Permission>,
    /// The only projects, by id; may be given several times, or with commas.
    #[arg(long = "project", value_name = "PROJECT", value_delimiter = ',')]
    projects: Vec<ProjectId>,
    /// The only environments, by id; may be given several times, or with commas.
    #[arg(long = "environment", value_name = "ENVIRONMENT", value_delimiter = ',')]
    environments: Vec<EnvironmentId>,
    /// The only deployments, by id; may be given several times, or with commas.
    #[arg(long = "deployment", value_name = "DEPLOYMENT", value_delimiter = ',')]
    deployments: Vec<DeploymentId>,
    /// The only addresses and networks from which it works; may be given several times, or with
    /// commas.
    #[arg(long = "address", value_name = "NETWORK", value_delimiter = ',')]
    addresses: Vec<Network>,
    /// After how long it stops working by itself, such as `90d` or `12h`.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    expires_in: Option<u64>,
}

/// Close a token, so that whoever gets it can use it but not narrow it further.
///
/// The token is asked for unseen, or read from standard input.
#[derive(Debug, Args)]
pub(crate) struct Seal {}

impl Attenuate {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let narrowing = self.narrowing()?;
        let token = input::secret("Token to narrow: ")?;
        let narrower = attenuate(token.expose_secret(), &narrowing, &OsEntropy);
        print(context, &narrower.map_err(refused)?)
    }

    fn narrowing(self) -> Result<Narrowing> {
        let Self {
            read_only,
            permissions,
            projects,
            environments,
            deployments,
            addresses,
            expires_in,
        } = self;
        let expires_at = match expires_in {
            Some(seconds) => Some(after(seconds)?),
            None => None,
        };
        Ok(Narrowing {
            projects: some(projects),
            environments: some(environments),
            deployments: some(deployments),
            permissions: some(permissions),
            is_read_only: read_only,
            allowed_addresses: some(addresses),
            expires_at,
            ..Narrowing::default()
        })
    }
}

impl Seal {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let token = input::secret("Token to seal: ")?;
        print(context, &seal(token.expose_secret()).map_err(refused)?)
    }
}

fn print(context: &Context, token: &PlainToken) -> Result<()> {
    if !context.output.is_json() {
        return super::print(&token.expose().into());
    }
    let expires_at = inspect(token.expose()).map_err(refused)?.expires_at;
    output::json(&json!({ "token": token.expose(), "expires_at": expires_at }))
}

fn after(seconds: u64) -> Result<chrono::DateTime<chrono::Utc>> {
    let life = i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds);
    let end = life.and_then(|life| SystemClock.now().checked_add_signed(life));
    end.ok_or_else(|| Failure::Usage("--expires-in is too long".to_owned()))
}

/// An option that was not given takes nothing away.
fn some<T>(values: Vec<T>) -> Option<Vec<T>> {
    (!values.is_empty()).then_some(values)
}

fn refused(err: impl std::fmt::Display) -> Failure {
    Failure::Usage(err.to_string())
}
