//! `windlass deployments`

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::{target::EnvironmentOption, watch::Follow};
use crate::{
    client::Address,
    context::Context,
    failure::Result,
    output::{Show, moment},
};

/// Commits on their way to being live
#[derive(Debug, Subcommand)]
pub(crate) enum Deployments {
    /// List an environment's deployments, newest first.
    List {
        /// The environment, by its id or, with a project, by its branch.
        environment: Option<String>,
        #[command(flatten)]
        option: EnvironmentOption,
    },
    /// Show a deployment.
    Get(Named),
    /// Call a deployment off.
    Cancel(Named),
    /// Run again what a deployment has built.
    Rollback {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        follow: Follow,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The deployment's id.
    deployment: String,
}

/// A deployment, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) environment_id: String,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) trigger: String,
    commit: Option<String>,
    requested_by: String,
    created_at: String,
    updated_at: String,
}

impl Deployments {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Self::List { environment, option } => {
                let environment = option.find_or(client, environment.as_deref())?;
                let address = Address::of(["environments", &environment.id, "deployments"]);
                context.output.many(&client.list::<Deployment>(&address)?)
            }
            Self::Get(Named { deployment }) => {
                let address = Address::of(["deployments", &deployment]);
                context.output.one(&client.get::<Deployment>(&address)?)
            }
            Self::Cancel(Named { deployment }) => {
                let address = Address::of(["deployments", &deployment, "cancel"]);
                context.output.one(&client.order::<Deployment>(&address)?)
            }
            Self::Rollback { named: Named { deployment }, follow } => {
                let address = Address::of(["deployments", &deployment, "rollback"]);
                follow.deployment(context, &client.order(&address)?)
            }
        }
    }
}

impl Deployment {
    /// Whether it is on its way.
    pub(super) fn is_moving(&self) -> bool {
        matches!(self.state.as_str(), "queued" | "building" | "deploying")
    }
}

impl Show for Deployment {
    const COLUMNS: &'static [&'static str] = &["Id", "State", "Commit", "Trigger", "By", "Created"];

    fn cells(&self) -> Vec<String> {
        let Self { id, state, commit, trigger, requested_by, created_at, .. } = self;
        let commit = commit.as_deref().map(|commit| commit.get(..10).unwrap_or(commit));
        vec![
            id.clone(),
            state.clone(),
            commit.unwrap_or_default().to_owned(),
            trigger.clone(),
            requested_by.clone(),
            moment(created_at),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Reason", self.reason.clone().unwrap_or_default()),
            ("Environment", self.environment_id.clone()),
            ("Updated", moment(&self.updated_at)),
        ]
    }
}
