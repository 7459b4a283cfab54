//! Repository of environments.

use async_trait::async_trait;
use windlass_domain::{Environment, EnvironmentId, OrganizationId, Page, PageRequest, ProjectId};

use crate::StoreError;

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

    /// Replaces a stored environment.
    async fn update(&mut self, environment: &Environment) -> Result<(), StoreError>;
}
