//! `windlass tokens`

use std::io::{self, IsTerminal as _};

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    inspect::Inspect,
    narrow::{Attenuate, Seal},
};
use super::projects;
use crate::{
    client::{Address, Answer, Client, Nothing},
    context::Context,
    duration,
    failure::Result,
    input,
    output::{self, Show, moment},
};

mod inspect;
mod narrow;

/// Tokens: to be handed on, narrower each time
#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// List the tokens, without the tokens themselves.
    List,
    Create(Create),
    Attenuate(Attenuate),
    Seal(Seal),
    Inspect(Inspect),
    Revoke(Revoke),
}

/// Create a token. It is printed this once and cannot be had again.
///
/// It never has more rights than the credential that creates it. Without options it has all of
/// them, for 1000 days.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is for.
    #[arg(default_value = "made on the command line")]
    label: String,
    /// Good for looking only.
    #[arg(long)]
    read_only: bool,
    /// A permission that it shall have, such as `logs:read`; may be given several times, or with
    /// commas.
    #[arg(long = "permission", short = 'p', value_name = "PERMISSION", value_delimiter = ',')]
    permissions: Vec<String>,
    /// The only projects that it reaches, by slug or id; may be given several times, or with
    /// commas.
    #[arg(long = "project", value_name = "PROJECT", value_delimiter = ',')]
    projects: Vec<String>,
    /// The only addresses and networks from which it works, such as `203.0.113.0/24`; may be given
    /// several times, or with commas.
    #[arg(long = "address", value_name = "NETWORK", value_delimiter = ',')]
    addresses: Vec<String>,
    /// After how long it stops working by itself, such as `90d` or `12h`.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    expires_in: Option<u64>,
    /// The same in seconds.
    #[arg(long, value_name = "SECONDS", conflicts_with = "expires_in")]
    ttl_seconds: Option<u64>,
}

/// End a token at once, and all that were made of it.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Its id. Without one, the token itself is asked for unseen, or read from standard input: so
    /// one that was made by narrowing can be ended alone.
    token: Option<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// A token, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
struct Token {
    id: String,
    label: String,
    kind: String,
    status: String,
    created_by: String,
    expires_at: String,
}

/// A token that has just been created.
#[derive(Debug, Clone, Deserialize)]
struct NewToken {
    id: String,
    expires_at: String,
    token: SecretString,
}

impl Tokens {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List => {
                let tokens = context.client()?.list::<Token>(&Address::of(["auth", "tokens"]))?;
                context.output.many(&tokens)
            }
            Self::Create(create) => create.run(context),
            Self::Attenuate(attenuate) => attenuate.run(context),
            Self::Seal(seal) => seal.run(context),
            Self::Inspect(inspect) => inspect.run(context),
            Self::Revoke(revoke) => revoke.run(context),
        }
    }
}

impl Create {
    fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let body = self.body(client)?;
        let created: Answer<NewToken> = client.post(&Address::of(["auth", "tokens"]), &body)?;
        if context.output.is_json() {
            return output::json(&created.json);
        }
        print(&created.token)?;
        let expires = moment(&created.expires_at);
        output::note(format_args!("{} works until {expires} and is not shown again", created.id));
        Ok(())
    }

    fn body(self, client: &Client) -> Result<Value> {
        let Self { label, read_only, permissions, projects, addresses, expires_in, ttl_seconds } =
            self;
        let mut body = json!({ "label": label, "read_only": read_only });
        if !permissions.is_empty() {
            body["permissions"] = permissions.into();
        }
        if !projects.is_empty() {
            let found = projects.iter().map(|named| Ok(projects::find(client, named)?.value.id));
            body["project_ids"] = found.collect::<Result<Vec<_>>>()?.into();
        }
        if !addresses.is_empty() {
            body["allowed_addresses"] = addresses.into();
        }
        if let Some(seconds) = expires_in.or(ttl_seconds) {
            body["expires_in_seconds"] = seconds.into();
        }
        Ok(body)
    }
}

impl Revoke {
    fn run(self, context: &Context) -> Result<()> {
        let Self { token, yes } = self;
        let client = context.client()?;
        if let Some(id) = token {
            input::confirm(&format!("Revoke the token {id} and all that were made of it?"), yes)?;
            client.delete::<Nothing>(&Address::of(["auth", "tokens", &id]))?;
            return context.output.done(format_args!("revoked {id}"));
        }
        // Whoever enters all of a token means it.
        let token = input::secret("Token to revoke: ")?;
        let body = json!({ "token": token.expose_secret() });
        client.post::<Nothing>(&Address::of(["auth", "tokens", "revoke"]), &body)?;
        context.output.done("revoked it")
    }
}

impl Show for Token {
    const COLUMNS: &'static [&'static str] =
        &["Label", "Kind", "Status", "Created by", "Expires", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { id, label, kind, status, created_by, expires_at } = self.clone();
        vec![label, kind, status, created_by, moment(&expires_at), id]
    }
}

/// The token alone where a program reads it, and easily found where a person does.
fn print(token: &SecretString) -> Result<()> {
    let token = token.expose_secret();
    if !io::stdout().is_terminal() {
        return output::text(token);
    }
    let line = "-".repeat(61);
    output::text(format_args!("{line}\n{token}\n{line}"))
}
