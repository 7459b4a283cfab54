//! `windlass projects`

use clap::{Args, Subcommand};
use serde::Deserialize;

use self::settings::{Field, Settings};
use super::{target::ProjectOption, watch};
use crate::{
    client::{Address, Answer, Client},
    context::Context,
    failure::{Failure, Result},
    input,
    output::{self, Show, moment},
};

mod settings;

/// Git repositories that are built and run
#[derive(Debug, Subcommand)]
pub(crate) enum Projects {
    /// List the projects.
    List,
    /// Show a project.
    Get {
        /// Its slug or id; else that of the git checkout you stand in.
        project: Option<String>,
    },
    /// Create a project. Nothing is built before it has an environment.
    Create(Box<Create>),
    /// Change a project's settings.
    Update(Box<Update>),
    /// Delete a project with all its environments.
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name; the slug is made from it.
    name: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its slug or id.
    project: String,
    /// A new name; the slug stays.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// Set back to the default; may be given several times.
    #[arg(long, value_name = "SETTING")]
    reset: Vec<Field>,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its slug or id.
    project: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Wait until it is gone.
    #[arg(long)]
    wait: bool,
}

/// A project, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) slug: String,
    name: String,
    pub(super) git_url: String,
    pub(super) default_branch: String,
    state: String,
    created_at: String,
    build_command: Option<String>,
    start_command: Option<String>,
    port: Option<u16>,
}

impl Projects {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        match self {
            Self::List => context.output.many(&list(client)?),
            Self::Get { project } => {
                let project = ProjectOption::of(project).find(client)?;
                context.output.one(&project)
            }
            Self::Create(create) => {
                let Create { name, settings } = *create;
                let mut body = settings.body();
                body.insert("name".to_owned(), name.into());
                context.output.one(&client.post::<Project>(&Address::of(["projects"]), &body)?)
            }
            Self::Update(update) => update.run(context, client),
            Self::Delete(delete) => delete.run(context, client),
        }
    }
}

impl Update {
    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { project, name, settings, reset } = self;
        let mut body = settings.body();
        for field in reset {
            field.reset(&mut body)?;
        }
        if let Some(name) = name {
            body.insert("name".to_owned(), name.into());
        }
        if body.is_empty() {
            return Err(Failure::Usage("there is nothing to change".to_owned()));
        }
        let Answer { value: Project { id, .. }, json: _ } = find(client, &project)?;
        let changed = client.patch::<Project>(&Address::of(["projects", &id]), &body)?;
        context.output.one(&changed)
    }
}

impl Delete {
    fn run(self, context: &Context, client: &Client) -> Result<()> {
        let Self { project, yes, wait } = self;
        let Answer { value: Project { id, slug, .. }, json: _ } = find(client, &project)?;
        input::confirm(&format!("Delete the project {slug} with all its environments?"), yes)?;
        let address = Address::of(["projects", &id]);
        let deleting = watch::until_gone(wait, "deleted", |held| {
            client.delete::<Project>(&address.clone().with_some("wait", held))
        })?;
        if context.output.is_json() {
            return output::json(&deleting.json);
        }
        context.output.done(format_args!("{slug} is {}", deleting.state))
    }
}

/// All of them.
pub(super) fn list(client: &Client) -> Result<Vec<Answer<Project>>> {
    client.list(&Address::of(["projects"]))
}

/// The one of a slug or an id.
pub(super) fn find(client: &Client, named: &str) -> Result<Answer<Project>> {
    if is_id(named, "proj_") {
        return client.get(&Address::of(["projects", named]));
    }
    let found = list(client)?.into_iter().find(|project| project.slug == named);
    found.ok_or_else(|| {
        Failure::NotFound(format!(
            "project {named}; `windlass projects list` shows those there are"
        ))
    })
}

/// Whether a text is an id with this prefix, rather than a name that begins like one.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.len() == 26 && rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

impl watch::HasState for Project {
    fn state(&mut self) -> &mut String {
        &mut self.state
    }
}

impl Show for Project {
    const COLUMNS: &'static [&'static str] = &["Slug", "Branch", "State", "Repository", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { slug, default_branch, state, git_url, id, .. } = self;
        [slug, default_branch, state, git_url, id].map(String::clone).into()
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Name", self.name.clone()),
            ("Build command", self.build_command.clone().unwrap_or_default()),
            ("Start command", self.start_command.clone().unwrap_or_default()),
            ("Port", self.port.map(|port| port.to_string()).unwrap_or_default()),
            ("Created", moment(&self.created_at)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_like_an_id_is_a_name() {
        assert!(is_id("env_01kdvdna000000000000000004", "env_"));
        assert!(!is_id("env_file", "env_"));
        assert!(!is_id("main", "env_"));
    }
}
