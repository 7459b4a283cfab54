//! Repository of environments.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{
    BranchName, Environment, EnvironmentId, HostLabel, OrganizationId, Page, PageRequest, Previews,
    ProjectId,
};

use crate::StoreError;

/// A preview and how long its project's last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resting {
    /// The preview.
    pub environment: Environment,
    /// How long previews of its project last.
    pub previews: Previews,
}

/// Stores environments. Destroyed ones stay to be found by their identifier.
#[async_trait]
pub trait EnvironmentRepo: Send {
    /// Finds an environment.
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError>;

    /// Finds an environment that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError>;

    /// Finds the environment of a branch that is not destroyed and that this unit of work is about
    /// to change; others wait until it ends.
    async fn find_of_branch_for_update(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        branch: &BranchName,
    ) -> Result<Option<Environment>, StoreError>;

    /// Finds the environment at an address that is not destroyed.
    async fn find_at_of_everyone(
        &mut self,
        host: &HostLabel,
    ) -> Result<Option<Environment>, StoreError>;

    /// How many previews of a project are not destroyed.
    async fn count_previews(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<u64, StoreError>;

    /// Every preview that is not destroyed.
    async fn list_previews_of_everyone(&mut self) -> Result<Vec<Resting>, StoreError>;

    /// Lists a project's environments that are not destroyed, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<EnvironmentId>,
    ) -> Result<Page<Environment>, StoreError>;

    /// Every environment that is not destroyed: what the ingress and the reconciler go by.
    async fn list_present_of_everyone(&mut self) -> Result<Vec<Environment>, StoreError>;

    /// Adds an environment. Fails with [`StoreError::Taken`] when, among those that are not
    /// destroyed, the project has one for its branch (`"branch"`) or anybody has its host
    /// (`"host"`). A failed insert leaves the unit of work usable.
    async fn insert(&mut self, environment: &Environment) -> Result<(), StoreError>;

    /// Replaces a stored environment, but for when it was visited.
    async fn update(&mut self, environment: &Environment) -> Result<(), StoreError>;

    /// Notes when environments were visited, where no later visit is noted.
    async fn note_visits(
        &mut self,
        visits: &[(EnvironmentId, DateTime<Utc>)],
    ) -> Result<(), StoreError>;
}
