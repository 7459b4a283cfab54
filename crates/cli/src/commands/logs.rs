//! `windlass logs`

use clap::Args;
use serde::Deserialize;

use super::{projects::is_id, target::EnvironmentOption, watch::Log};
use crate::{
    client::{Address, Answer, Client, LogLine},
    context::Context,
    failure::{Failure, Result},
    output::{self, Output, log_text},
};

/// Show what a build or an app has printed.
///
/// The app's log, unless a deployment is named or `--build` given. With `--json`, every line is an
/// object on a line of its own.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// A deployment's id, or an environment's id or branch.
    target: Option<String>,
    #[command(flatten)]
    environment: EnvironmentOption,
    /// Show the log of the environment's latest build instead.
    #[arg(long)]
    build: bool,
    /// Go on with what is printed from now on.
    #[arg(long, short)]
    follow: bool,
}

/// A part of a log.
#[derive(Debug, Deserialize)]
struct Part {
    lines: Vec<serde_json::Value>,
}

impl Logs {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let mut log = Log { client, address: self.address(client)?, after: 0 };
        let output = context.output;
        if self.follow { log.follow(&mut |line| show(output, line)) } else { print(output, log) }
    }

    fn address(&self, client: &Client) -> Result<Address> {
        let named = self.target.as_deref();
        if let Some(id) = named.filter(|target| is_id(target, "dep_")) {
            return Ok(Address::of(["deployments", id, "logs"]));
        }
        let environment = self.environment.find_or(client, named)?;
        if !self.build {
            return Ok(Address::of(["environments", &environment.id, "logs"]));
        }
        let latest = environment.latest_deployment.as_ref();
        let latest = latest.ok_or_else(|| Failure::NotFound("build of it yet".to_owned()))?;
        Ok(Address::of(["deployments", &latest.id, "logs"]))
    }
}

/// Everything that there is by now.
fn print(output: Output, mut log: Log<'_>) -> Result<()> {
    loop {
        let address = log.address.clone().with("after_seq", &log.after.to_string());
        let part: Answer<Part> = log.client.get(&address)?;
        if part.lines.is_empty() {
            return Ok(());
        }
        for line in part.value.lines {
            let line = Answer::new(line).map_err(|source| Failure::Garbled {
                server: log.client.server().to_string(),
                source,
            })?;
            show(output, &line)?;
            log.after = line.seq;
        }
    }
}

fn show(output: Output, line: &Answer<LogLine>) -> Result<()> {
    if output.is_json() { output::text(&line.json) } else { output::text(log_text(&line.text)) }
}
