//! `windlass environments`

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::{
    deployments::Deployment,
    target::{self, ProjectOption},
    watch::{self, Follow},
};
use crate::{
    client::{Address, Answer, Client},
    context::Context,
    failure::Result,
    input,
    output::{self, Show, moment},
};

/// Branches of a project, each running under its own address
#[derive(Debug, Subcommand)]
pub(crate) enum Environments {
    /// List a project's environments.
    List {
        #[command(flatten)]
        project: ProjectOption,
    },
    /// Create an environment, which deploys its branch.
    Create(Create),
    /// Show an environment.
    Get(Named),
    /// Deploy the latest commit of its branch.
    Rebuild(Deploying),
    /// The same as `rebuild`.
    Restart(Deploying),
    /// Stop its app until it is resumed or deployed to.
    Pause(Named),
    /// Start the app of a paused one again, without a build.
    Resume(Named),
    /// Empty its database, its Redis and its bucket, and start its app as in a new one.
    Reset(Reset),
    /// Stop its app and take it down.
    Destroy(Destroy),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The environment, by its id or, with a project, by its branch.
    environment: String,
    #[command(flatten)]
    project: ProjectOption,
}

#[derive(Debug, Args)]
pub(crate) struct Deploying {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    follow: Follow,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The branch that it follows.
    branch: String,
    #[command(flatten)]
    project: ProjectOption,
    #[command(flatten)]
    follow: Follow,
}

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    deploying: Deploying,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    named: Named,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Wait until it is gone.
    #[arg(long)]
    wait: bool,
}

/// An environment, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Environment {
    pub(super) id: String,
    pub(super) branch: String,
    kind: String,
    pub(super) url: String,
    pub(super) state: String,
    wakes_on_request: bool,
    reason: Option<String>,
    created_at: String,
    pub(super) latest_deployment: Option<Deployment>,
}

impl Environments {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Self::List { project } => {
                let address = Address::of(["projects", &project.find(client)?.id, "environments"]);
                context.output.many(&client.list::<Environment>(&address)?)
            }
            Self::Get(named) => context.output.one(&named.find(client)?),
            Self::Create(create) => create.run(context, client),
            Self::Rebuild(deploying) => deploying.run(context, client, "rebuild"),
            Self::Restart(deploying) => deploying.run(context, client, "restart"),
            Self::Pause(named) => named.order(context, client, "pause"),
            Self::Resume(named) => named.order(context, client, "resume"),
            Self::Reset(reset) => reset.run(context, client),
            Self::Destroy(destroy) => destroy.run(context, client),
        }
    }
}

impl Named {
    fn find(&self, client: &Client) -> Result<Answer<Environment>> {
        target::environment(client, &self.project, &self.environment)
    }

    fn order(&self, context: &Context, client: &Client, order: &str) -> Result<()> {
        let Environment { id, branch, .. } = self.find(client)?.value;
        let done = client.order::<Environment>(&Address::of(["environments", &id, order]))?;
        if context.output.is_json() {
            return output::json(&done.json);
        }
        context.output.done(format_args!("the environment of {branch} is {}", done.value.state))
    }
}

impl Create {
    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { branch, project, follow } = self;
        let address = Address::of(["projects", &project.find(client)?.id, "environments"]);
        let created: Answer<Environment> = client.post(&address, &json!({ "branch": branch }))?;
        match &created.latest_deployment {
            Some(deployment) if follow.is_wanted() => {
                let address = Address::of(["deployments", &deployment.id]);
                follow.deployment(context, &client.get(&address)?)
            }
            _ => context.output.one(&created),
        }
    }
}

impl Deploying {
    fn run(self, context: &Context, client: &Client, order: &str) -> Result<()> {
        let Self { named, follow } = self;
        let address = Address::of(["environments", &named.find(client)?.id, order]);
        follow.deployment(context, &client.order(&address)?)
    }
}

impl Reset {
    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { deploying: Deploying { named, follow }, yes } = self;
        let Environment { id, branch, url, .. } = named.find(client)?.value;
        let question = format!("Remove all data of the environment of {branch} at {url}?");
        input::confirm(&question, yes)?;
        follow.deployment(context, &client.order(&Address::of(["environments", &id, "reset"]))?)
    }
}

impl Destroy {
    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { named, yes, wait } = self;
        let Environment { id, branch, url, .. } = named.find(client)?.value;
        input::confirm(&format!("Destroy the environment of {branch} at {url}?"), yes)?;
        let address = Address::of(["environments", &id, "destroy"]);
        let destroying = watch::until_gone(wait, "destroyed", |held| {
            client.order::<Environment>(&address.clone().with_some("wait", held))
        })?;
        if context.output.is_json() {
            return output::json(&destroying.json);
        }
        context.output.done(format_args!("the environment of {branch} is {}", destroying.state))
    }
}

impl watch::HasState for Environment {
    fn state(&mut self) -> &mut String {
        &mut self.state
    }
}

impl Show for Environment {
    const COLUMNS: &'static [&'static str] = &["Branch", "Kind", "State", "Url", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { branch, kind, state, url, id, .. } = self;
        [branch, kind, state, url, id].map(String::clone).into()
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let latest = self.latest_deployment.as_ref();
        vec![
            ("Reason", self.reason.clone().unwrap_or_default()),
            ("Wakes up", if self.wakes_on_request { "on the next request" } else { "" }.to_owned()),
            (
                "Latest deployment",
                latest.map(|it| format!("{} {}", it.id, it.state)).unwrap_or_default(),
            ),
            ("Created", moment(&self.created_at)),
        ]
    }
}
