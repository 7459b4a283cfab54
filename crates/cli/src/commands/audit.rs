//! `windlass audit`

use clap::Args;
use serde::Deserialize;

use crate::{
    client::Address,
    context::Context,
    failure::Result,
    output::{Show, moment},
};

/// Who did what, and what was refused, newest first
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Only what this person or credential did or was refused, by id.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only this, such as `create_project`.
    #[arg(long)]
    action: Option<String>,
    /// Only what came to this: `done` or `refused`.
    #[arg(long)]
    outcome: Option<String>,
    /// Only what was about this thing, by id.
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// Only what happened from then on, such as `2026-01-31` or `2026-01-31T12:00:00Z`.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what happened before.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Most lines that are shown.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

/// A line of the audit log, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
struct Entry {
    at: String,
    actor: Option<Actor>,
    action: String,
    target: Option<Target>,
    outcome: String,
    address: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Actor {
    kind: String,
    user_id: Option<String>,
    label: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    id: String,
}

impl Audit {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self { actor, action, outcome, target, from, to, limit } = self;
        let address = [
            ("actor", actor),
            ("action", action),
            ("outcome", outcome),
            ("target", target),
            ("from", from),
            ("to", to),
        ]
        .iter()
        .fold(Address::of(["audit"]), |address, (name, value)| {
            address.with_some(name, value.as_deref())
        });
        context.output.many(&context.client()?.first::<Entry>(&address, limit)?)
    }
}

impl Show for Entry {
    const COLUMNS: &'static [&'static str] =
        &["Time", "Outcome", "Action", "Actor", "Target", "Address"];

    fn cells(&self) -> Vec<String> {
        let Self { at, actor, action, target, outcome, address } = self.clone();
        let actor = match actor {
            Some(Actor { kind, user_id, label }) => label.or(user_id).unwrap_or(kind),
            None => "unknown".to_owned(),
        };
        let target = target.map(|target| target.id).unwrap_or_default();
        vec![moment(&at), outcome, action, actor, target, address.unwrap_or_default()]
    }
}
