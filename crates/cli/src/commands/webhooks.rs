//! `windlass webhooks`

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::target::ProjectOption;
use crate::{
    client::{Address, Answer},
    context::Context,
    duration,
    failure::Result,
    output::{Show, moment},
};

/// What GitHub, GitLab or Gitea tell of a project's repository
#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Make a new secret, and show with which address a webhook is set up.
    Secret(Secret),
    /// List what was delivered and what came of it, newest first.
    List(List),
    /// Do once more what a delivery asks for, where a limit stood in the way.
    Redeliver(Redeliver),
}

#[derive(Debug, Args)]
pub(crate) struct Secret {
    #[command(flatten)]
    project: ProjectOption,
    /// How long the secret before goes on working, such as `1h` or `7d`.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::parse)]
    overlap: u64,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    project: ProjectOption,
    /// Most deliveries that are shown.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Redeliver {
    /// The delivery, by its id.
    delivery: String,
    #[command(flatten)]
    project: ProjectOption,
}

/// A new secret.
// No `Debug`: it is a secret.
#[derive(Deserialize)]
struct NewSecret {
    secret: String,
    urls: Urls,
    previous_ends_at: String,
}

#[derive(Deserialize)]
struct Urls {
    github: String,
    gitlab: String,
    gitea: String,
}

/// A delivery, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
struct Delivery {
    id: String,
    forge: String,
    event: String,
    branch: Option<String>,
    outcome: String,
    message: Option<String>,
    deployment_id: Option<String>,
    received_at: String,
}

impl Webhooks {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Self::Secret(Secret { project, overlap }) => {
                let address =
                    Address::of(["projects", &project.find(client)?.id, "webhook-secret"]);
                let body = json!({ "overlap_seconds": overlap });
                let made: Answer<NewSecret> = client.post(&address, &body)?;
                context.output.one(&made)
            }
            Self::List(List { project, limit }) => {
                let id = project.find(client)?.value.id;
                let address = Address::of(["projects", &id, "webhook-deliveries"]);
                context.output.many(&client.first::<Delivery>(&address, limit)?)
            }
            Self::Redeliver(Redeliver { delivery, project }) => {
                let id = project.find(client)?.value.id;
                let names = ["projects", &id, "webhook-deliveries", &delivery, "redeliver"];
                let address = Address::of(names);
                context.output.one(&client.order::<Delivery>(&address)?)
            }
        }
    }
}

impl Show for NewSecret {
    const COLUMNS: &'static [&'static str] = &["Secret"];

    fn cells(&self) -> Vec<String> {
        vec![self.secret.clone()]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let Urls { github, gitlab, gitea } = &self.urls;
        vec![
            ("On GitHub", github.clone()),
            ("On GitLab", gitlab.clone()),
            ("On Gitea", gitea.clone()),
            ("Content type", "application/json".to_owned()),
            ("Events", "pushes, deleted branches, pull requests".to_owned()),
            ("The one before ends", moment(&self.previous_ends_at)),
        ]
    }
}

impl Show for Delivery {
    const COLUMNS: &'static [&'static str] =
        &["Received", "Forge", "Event", "Branch", "Outcome", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { id, forge, event, branch, outcome, received_at, .. } = self.clone();
        vec![moment(&received_at), forge, event, branch.unwrap_or_default(), outcome, id]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Why", self.message.clone().unwrap_or_default()),
            ("Deployment", self.deployment_id.clone().unwrap_or_default()),
        ]
    }
}
