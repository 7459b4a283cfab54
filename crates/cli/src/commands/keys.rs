//! `windlass keys`

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::projects;
use crate::{
    client::{Address, Answer, Client, Nothing},
    context::Context,
    duration,
    failure::Result,
    input,
    output::{Show, moment},
};

/// API keys
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the keys, without the keys themselves.
    List,
    /// Create a key. It is printed this once and cannot be had again.
    Create(Create),
    Rotate(Rotate),
    /// End a key at once.
    Revoke {
        /// Its id.
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is for.
    name: String,
    /// `build`, `submit`, `update`, `read`, `admin` or a permission such as `logs:read`; may be
    /// given several times, or with commas.
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// The only projects that it reaches, by slug or id; may be given several times, or with
    /// commas.
    #[arg(long = "project", value_name = "PROJECT", value_delimiter = ',')]
    projects: Vec<String>,
    /// The only addresses and networks from which it works, such as `203.0.113.0/24`; may be given
    /// several times, or with commas.
    #[arg(long = "address", value_name = "NETWORK", value_delimiter = ',')]
    addresses: Vec<String>,
    /// When it stops working by itself, such as `2027-01-01T00:00:00Z`.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

/// Replace a key by a new one like it, which is printed this once.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Its id.
    key: String,
    /// How long the old one goes on working, such as `1h`: long enough to bring the new one to
    /// wherever the old one is used.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    overlap: Option<u64>,
}

/// A key, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
struct ApiKey {
    id: String,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    status: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    /// The key itself, when it has just been created.
    key: Option<String>,
}

impl Keys {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let keys = Address::of(["auth", "api-keys"]);
        match self {
            Self::List => context.output.many(&client.list::<ApiKey>(&keys)?),
            Self::Create(create) => {
                let created: Answer<ApiKey> = client.post(&keys, &create.body(client)?)?;
                context.output.one(&created)
            }
            Self::Rotate(Rotate { key, overlap }) => {
                let address = Address::of(["auth", "api-keys", &key, "rotate"]);
                let body = json!({ "overlap_seconds": overlap.unwrap_or(0) });
                context.output.one(&client.post::<ApiKey>(&address, &body)?)
            }
            Self::Revoke { key, yes } => {
                input::confirm(&format!("Revoke the key {key}?"), yes)?;
                client.delete::<Nothing>(&Address::of(["auth", "api-keys", &key]))?;
                context.output.done(format_args!("revoked {key}"))
            }
        }
    }
}

impl Create {
    fn body(self, client: &Client) -> Result<Value> {
        let Self { name, scopes, projects, addresses, expires_at } = self;
        let mut body = json!({ "name": name, "scopes": scopes });
        if !projects.is_empty() {
            let found = projects.iter().map(|named| Ok(projects::find(client, named)?.value.id));
            body["project_ids"] = found.collect::<Result<Vec<_>>>()?.into();
        }
        if !addresses.is_empty() {
            body["allowed_addresses"] = addresses.into();
        }
        if let Some(time) = expires_at {
            body["expires_at"] = time.into();
        }
        Ok(body)
    }
}

impl Show for ApiKey {
    const COLUMNS: &'static [&'static str] =
        &["Name", "Prefix", "Status", "Scopes", "Last used", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { id, name, prefix, scopes, status, last_used_at, .. } = self;
        let last_used = last_used_at.as_deref().map(moment).unwrap_or_default();
        vec![name.clone(), prefix.clone(), status.clone(), scopes.join(","), last_used, id.clone()]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Expires", self.expires_at.as_deref().map(moment).unwrap_or_default()),
            ("Key", self.key.clone().unwrap_or_default()),
        ]
    }
}
