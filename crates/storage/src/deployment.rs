//! Repositories of deployments and builds.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{
    Build, BuildId, Deployment, DeploymentId, EnvironmentId, OrganizationId, Page, PageRequest,
};

use crate::StoreError;

/// Stores deployments.
#[async_trait]
pub trait DeploymentRepo: Send {
    /// Finds a deployment.
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: DeploymentId,
    ) -> Result<Option<Deployment>, StoreError>;

    /// Finds a deployment that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: DeploymentId,
    ) -> Result<Option<Deployment>, StoreError>;

    /// Lists an environment's deployments, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        environment: EnvironmentId,
        page: PageRequest<DeploymentId>,
    ) -> Result<Page<Deployment>, StoreError>;

    /// The newest deployment of each of these environments, in no order.
    async fn list_newest_of(
        &mut self,
        organization: OrganizationId,
        environments: &[EnvironmentId],
    ) -> Result<Vec<Deployment>, StoreError>;

    /// An environment's deployments that are queued, building, deploying or live, oldest first,
    /// to be changed by this unit of work; others wait until it ends.
    async fn list_unfinished_for_update(
        &mut self,
        organization: OrganizationId,
        environment: EnvironmentId,
    ) -> Result<Vec<Deployment>, StoreError>;

    /// The deployments of all tenants whose apps are being started.
    async fn list_starting_of_everyone(&mut self) -> Result<Vec<DeploymentId>, StoreError>;

    /// Adds a deployment.
    async fn insert(&mut self, deployment: &Deployment) -> Result<(), StoreError>;

    /// Replaces a stored deployment.
    async fn update(&mut self, deployment: &Deployment) -> Result<(), StoreError>;
}

/// How long an organization's builds took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildTime {
    /// Those that have ended, together, in milliseconds.
    pub ended_millis: u64,
    /// Since when those run that have not ended.
    pub running_since: Vec<DateTime<Utc>>,
}

/// What a repository says about itself in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// The name of the file.
    pub file: String,
    /// What it says.
    pub text: String,
}

/// Stores builds.
#[async_trait]
pub trait BuildRepo: Send {
    /// Finds a build.
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
    ) -> Result<Option<Build>, StoreError>;

    /// Finds a build that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
    ) -> Result<Option<Build>, StoreError>;

    /// The builds whose output is needed: those of unfinished deployments, and of each present
    /// environment's newest `per_environment` deployments that are or were live.
    async fn list_needed_of_everyone(
        &mut self,
        per_environment: u32,
    ) -> Result<Vec<BuildId>, StoreError>;

    /// How long the builds took that ended at `from` or later, and since when others run.
    async fn time_since(
        &mut self,
        organization: OrganizationId,
        from: DateTime<Utc>,
    ) -> Result<BuildTime, StoreError>;

    /// The file that was found in the commit of a build, if there is one.
    async fn find_manifest(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
    ) -> Result<Option<StoredManifest>, StoreError>;

    /// Keeps the file that was found in the commit of a build that has none yet.
    async fn insert_manifest(
        &mut self,
        organization: OrganizationId,
        id: BuildId,
        manifest: &StoredManifest,
    ) -> Result<(), StoreError>;

    /// Adds a build. Fails with [`StoreError::Taken`] (`"number"`) when the organization has one
    /// with its number.
    async fn insert(&mut self, build: &Build) -> Result<(), StoreError>;

    /// Replaces a stored build.
    async fn update(&mut self, build: &Build) -> Result<(), StoreError>;
}
