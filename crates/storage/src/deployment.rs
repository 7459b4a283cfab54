//! Repositories of deployments and builds.

use async_trait::async_trait;
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

    /// Adds a deployment.
    async fn insert(&mut self, deployment: &Deployment) -> Result<(), StoreError>;

    /// Replaces a stored deployment.
    async fn update(&mut self, deployment: &Deployment) -> Result<(), StoreError>;
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

    /// Adds a build. Fails with [`StoreError::Taken`] (`"number"`) when the organization has one
    /// with its number.
    async fn insert(&mut self, build: &Build) -> Result<(), StoreError>;

    /// Replaces a stored build.
    async fn update(&mut self, build: &Build) -> Result<(), StoreError>;
}
