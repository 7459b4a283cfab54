//! Projects as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_domain::{
    BuildResources, Project, ProjectSettings, ProjectState, Resources, Services,
};

use super::{
    hooks::HooksView,
    previews::PreviewsView,
    settings::{BuildResourcesView, ResourcesView, ServicesView},
};
use crate::tag::Tag;

/// A git repository that is built and run, with an environment per branch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub(crate) struct ProjectView {
    #[schema(example = "proj_01kdvdna000000000000000003")]
    id: String,
    #[schema(example = "my-app")]
    name: String,
    /// The name made fit for host names; never changes.
    #[schema(example = "my-app")]
    slug: String,
    /// The repository on GitHub that `git_url` was derived from.
    #[schema(example = "octocat/my-app")]
    github_repo: Option<String>,
    /// Where its source is fetched from.
    #[schema(example = "https://github.com/octocat/my-app.git")]
    git_url: String,
    /// The branch that is deployed when none is named.
    #[schema(example = "main")]
    default_branch: String,
    /// Path of the Dockerfile, where one is to be used.
    #[schema(example = "Dockerfile")]
    dockerfile: Option<String>,
    /// The folder in the repository that is built.
    #[schema(example = ".")]
    build_context: Option<String>,
    services: ServicesView,
    /// Shell command that builds it; recognised from the files where `null`.
    #[schema(example = "npm ci && npm run build")]
    build_command: Option<String>,
    /// Shell command that starts it; recognised from the files where `null`.
    #[schema(example = "node server.js")]
    start_command: Option<String>,
    /// Path that answers 2xx or 3xx once the app is healthy.
    #[schema(example = "/healthz")]
    health_path: Option<String>,
    /// The port that the app listens on, where it ignores `PORT`.
    #[schema(example = 8080)]
    port: Option<u16>,
    resources: ResourcesView,
    build_resources: BuildResourcesView,
    previews: PreviewsView,
    hooks: HooksView,
    state: ProjectStateView,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Where a project is in its life.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ProjectState)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProjectStateView {
    Active,
    Deleting,
    Deleted,
}

/// The version of a project that a client sees.
pub(crate) fn tag(project: &Project) -> Tag {
    Tag { version: project.version, shown: None }
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        let Project {
            id,
            organization_id: _,
            name,
            slug,
            git_url,
            github_repo,
            default_branch,
            settings,
            state,
            created_at,
            updated_at,
            version: _,
        } = project;
        let ProjectSettings {
            dockerfile,
            build_context,
            services,
            build_command,
            start_command,
            health_path,
            port,
            resources,
            build_resources,
            previews,
            hooks,
        } = settings;
        Self {
            id: id.to_string(),
            name: name.to_string(),
            slug: slug.to_string(),
            github_repo: github_repo.map(|repo| repo.to_string()),
            git_url: git_url.to_string(),
            default_branch: default_branch.to_string(),
            dockerfile,
            build_context,
            services: services.into(),
            build_command: build_command.map(String::from),
            start_command: start_command.map(String::from),
            health_path,
            port,
            resources: resources.into(),
            build_resources: build_resources.into(),
            previews: previews.into(),
            hooks: hooks.into(),
            state: state.into(),
            created_at,
            updated_at,
        }
    }
}

impl From<ProjectState> for ProjectStateView {
    fn from(state: ProjectState) -> Self {
        match state {
            ProjectState::Active => Self::Active,
            ProjectState::Deleting { .. } => Self::Deleting,
            ProjectState::Deleted { .. } => Self::Deleted,
        }
    }
}

impl From<Services> for ServicesView {
    fn from(services: Services) -> Self {
        let Services { postgres, redis, s3 } = services;
        Self { postgres, redis, s3 }
    }
}

impl From<Resources> for ResourcesView {
    fn from(resources: Resources) -> Self {
        let Resources { cpu_millis, memory_mb } = resources;
        Self { cpu: cpu_millis.map(cores), memory_mb }
    }
}

impl From<BuildResources> for BuildResourcesView {
    fn from(resources: BuildResources) -> Self {
        let BuildResources { cpu_millis, memory_mb, timeout_seconds } = resources;
        Self { cpu: cpu_millis.map(cores), memory_mb, timeout_seconds }
    }
}

fn cores(millis: u32) -> f64 {
    f64::from(millis) / 1_000.0
}
