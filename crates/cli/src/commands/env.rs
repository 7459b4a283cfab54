//! `windlass env`

use std::{convert::Infallible, str::FromStr};

use clap::{Args, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::target::{self, ProjectOption};
use crate::{
    client::{Address, Client, Nothing},
    context::Context,
    failure::{Failure, Result},
    input,
    output::{Show, moment},
};

/// Variables for builds and apps; their values are write-only
#[derive(Debug, Subcommand)]
pub(crate) enum Env {
    /// List a project's variables, their values masked.
    List {
        #[command(flatten)]
        project: ProjectOption,
    },
    /// Set a variable. Deployments from now on have it.
    Set(Set),
    /// Remove a variable.
    Unset(Unset),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its name; without a value, that is asked for unseen, or read from standard input (without
    /// the last line break).
    #[arg(value_name = "KEY[=VALUE]")]
    assignment: Assignment,
    #[command(flatten)]
    place: Place,
    /// Whether previews get it, too. They do where this was never said.
    #[arg(long, value_name = "BOOL")]
    previews: Option<bool>,
}

#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// Its name.
    key: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    #[command(flatten)]
    project: ProjectOption,
    /// Only for this environment, by its id or branch; else for all of the project's.
    #[arg(long, short)]
    environment: Option<String>,
}

/// `KEY` or `KEY=VALUE`.
#[derive(Debug, Clone)]
struct Assignment {
    key: String,
    value: Option<SecretString>,
}

/// A variable, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
struct Variable {
    id: String,
    key: String,
    /// Masked.
    value: String,
    environment_id: Option<String>,
    previews: bool,
    updated_at: String,
}

impl Env {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Self::List { project } => {
                let address = Address::of(["projects", &project.find(client)?.id, "env-vars"]);
                context.output.many(&client.list::<Variable>(&address)?)
            }
            Self::Set(set) => set.run(context, client),
            Self::Unset(unset) => unset.run(context, client),
        }
    }
}

impl Set {
    /// Whether the value stands among the words.
    pub(super) fn tells_a_secret(&self) -> bool {
        self.assignment.value.is_some()
    }

    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { assignment: Assignment { key, value }, place, previews } = self;
        let (project, environment) = place.find(client)?;
        let value = match value {
            Some(value) => value,
            None => input::secret(&format!("Value of {key}: "))?,
        };
        let mut body = json!({ "key": key, "value": value.expose_secret() });
        if let Some(environment) = environment {
            body["environment_id"] = environment.into();
        }
        if let Some(previews) = previews {
            body["previews"] = previews.into();
        }
        let address = Address::of(["projects", &project, "env-vars"]);
        context.output.one(&client.put::<Variable>(&address, &body)?)
    }
}

impl Unset {
    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { key, place } = self;
        let (project, environment) = place.find(client)?;
        let variables =
            client.list::<Variable>(&Address::of(["projects", &project, "env-vars"]))?;
        let is_meant =
            |variable: &&Variable| variable.key == key && variable.environment_id == environment;
        let found = variables.iter().map(|answer| &answer.value).find(is_meant);
        let Variable { id, .. } =
            found.ok_or_else(|| Failure::NotFound(format!("variable {key} there")))?;
        client.delete::<Nothing>(&Address::of(["projects", &project, "env-vars", id]))?;
        context.output.done(format_args!("removed {key}"))
    }
}

impl Place {
    /// The ids of the project and, if one is meant, the environment.
    fn find(&self, client: &Client) -> Result<(String, Option<String>)> {
        let project = self.project.find(client)?.value;
        let Some(named) = &self.environment else { return Ok((project.id, None)) };
        let environment = target::environment_of(client, &project, named)?;
        Ok((project.id, Some(environment.value.id)))
    }
}

impl FromStr for Assignment {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once('=') {
            Some((key, value)) => Self { key: key.to_owned(), value: Some(value.into()) },
            None => Self { key: text.to_owned(), value: None },
        })
    }
}

impl Show for Variable {
    const COLUMNS: &'static [&'static str] = &["Key", "Value", "Environment", "Updated"];

    fn cells(&self) -> Vec<String> {
        let Self { id: _, key, value, environment_id, previews, updated_at } = self;
        let all = if *previews { "all" } else { "all but previews" };
        let environment = environment_id.clone().unwrap_or_else(|| all.to_owned());
        vec![key.clone(), value.clone(), environment, moment(updated_at)]
    }
}
