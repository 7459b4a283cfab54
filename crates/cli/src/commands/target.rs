//! Which project and which environment are meant.

use clap::Args;

use super::{
    environments::Environment,
    projects::{self, Project},
};
use crate::{
    checkout,
    client::{Address, Answer, Client},
    failure::{Failure, Result},
};

/// Which project is meant.
#[derive(Debug, Args)]
pub(crate) struct ProjectOption {
    /// The project, by its slug or id; else that of the git checkout you stand in.
    #[arg(long, short, env = "WINDLASS_PROJECT", hide_env_values = true)]
    project: Option<String>,
}

/// Which environment is meant.
#[derive(Debug, Args)]
pub(crate) struct EnvironmentOption {
    #[command(flatten)]
    project: ProjectOption,
    /// The branch; else the project's default one, or the one that is checked out where the
    /// checkout says the project.
    #[arg(long, short)]
    branch: Option<String>,
}

impl ProjectOption {
    pub(super) fn of(project: Option<String>) -> Self {
        Self { project }
    }

    pub(super) fn find(&self, client: &Client) -> Result<Answer<Project>> {
        match &self.project {
            Some(named) => projects::find(client, named),
            None => of_checkout(client),
        }
    }
}

impl EnvironmentOption {
    pub(super) fn find(&self, client: &Client) -> Result<Answer<Environment>> {
        let project = self.project.find(client)?;
        let checked_out = || self.project.project.is_none().then(checkout::branch).flatten();
        let branch = self.branch.clone().or_else(checked_out);
        let branch = branch.as_deref().unwrap_or(&project.default_branch);
        of_branch(client, &project, branch)
    }

    /// The environment of an id or a branch where one is given, else that of the options.
    pub(super) fn find_or(
        &self,
        client: &Client,
        named: Option<&str>,
    ) -> Result<Answer<Environment>> {
        match named {
            Some(named) => environment(client, &self.project, named),
            None => self.find(client),
        }
    }
}

/// The environment of an id, or of a branch of the project.
pub(super) fn environment(
    client: &Client,
    project: &ProjectOption,
    named: &str,
) -> Result<Answer<Environment>> {
    if projects::is_id(named, "env_") {
        return client.get(&Address::of(["environments", named]));
    }
    of_branch(client, &*project.find(client)?, named)
}

/// The same where the project has been found.
pub(super) fn environment_of(
    client: &Client,
    project: &Project,
    named: &str,
) -> Result<Answer<Environment>> {
    if projects::is_id(named, "env_") {
        return client.get(&Address::of(["environments", named]));
    }
    of_branch(client, project, named)
}

fn of_branch(client: &Client, project: &Project, branch: &str) -> Result<Answer<Environment>> {
    let Project { id, slug, .. } = project;
    let environments = client.list(&Address::of(["projects", id, "environments"]))?;
    let is_meant = |environment: &Answer<Environment>| {
        environment.branch == branch && environment.state != "destroyed"
    };
    environments.into_iter().find(is_meant).ok_or_else(|| {
        Failure::NotFound(format!(
            "environment of {slug} for the branch {branch}; \
             make one: windlass environments create --project {slug} {branch}"
        ))
    })
}

fn of_checkout(client: &Client) -> Result<Answer<Project>> {
    let say = "say which project with --project";
    let remote = checkout::remote()
        .ok_or_else(|| Failure::Usage(format!("this is no git checkout with an origin: {say}")))?;
    let projects = projects::list(client)?;
    let mut same =
        projects.into_iter().filter(|project| checkout::is_same(&project.git_url, &remote));
    match (same.next(), same.next()) {
        (Some(project), None) => Ok(project),
        (None, _) => Err(Failure::NotFound(format!("project for {remote}: {say}"))),
        (Some(_), Some(_)) => {
            Err(Failure::Usage(format!("several projects are made of {remote}: {say}")))
        }
    }
}
