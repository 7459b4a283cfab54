//! `windlass whoami`

use std::fmt;

use clap::Args;
use serde::Deserialize;

use crate::{
    client::{Address, Answer, Client},
    context::Context,
    failure::Result,
    output::{Show, moment},
};

/// Show whose credential is in use, and what it may do.
#[derive(Debug, Args)]
pub(crate) struct Whoami {}

/// Who calls.
#[derive(Debug, Deserialize)]
pub(super) struct Me {
    user: Named,
    organizations: Vec<Organization>,
    credential: Credential,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Organization {
    name: String,
    role: String,
}

#[derive(Debug, Deserialize)]
struct Credential {
    kind: String,
    name: Option<String>,
    prefix: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
    project_ids: Option<Vec<String>>,
    expires_at: Option<String>,
}

impl Whoami {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let client = context.client()?;
        let me = ask(client)?;
        context.output.one(&me)
    }
}

/// Asks the server.
pub(super) fn ask(client: &Client) -> Result<Answer<Me>> {
    client.get(&Address::of(["auth", "me"]))
}

impl fmt::Display for Me {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credential { kind, name, .. } = &self.credential;
        let kind = kind.replace('_', " ");
        write!(f, "{} with the {kind} {:?}", self.user.name, name.as_deref().unwrap_or_default())
    }
}

impl Show for Me {
    const COLUMNS: &'static [&'static str] = &["User", "Organizations", "Credential"];

    fn cells(&self) -> Vec<String> {
        let organizations = self.organizations.iter();
        let organizations: Vec<_> =
            organizations.map(|Organization { name, role }| format!("{name} ({role})")).collect();
        let Credential { kind, name, prefix, .. } = &self.credential;
        let (name, prefix) = (name.as_deref().unwrap_or("?"), prefix.as_deref().unwrap_or(""));
        let credential = format!("{} {name} {prefix}", kind.replace('_', " "));
        vec![self.user.name.clone(), organizations.join(", "), credential]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let Credential { permissions, project_ids, expires_at, .. } = &self.credential;
        let projects = project_ids.as_deref().map_or("all".to_owned(), |ids| ids.join(", "));
        vec![
            ("Permissions", permissions.join(", ")),
            ("Projects", projects),
            ("Expires", expires_at.as_deref().map(moment).unwrap_or_default()),
        ]
    }
}
