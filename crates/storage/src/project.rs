//! Repository of projects.

use async_trait::async_trait;
use windlass_domain::{OrganizationId, Page, PageRequest, Project, ProjectId, Resources};

use crate::StoreError;

/// Which projects to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// Only these, for callers that may see no others.
    pub only: Option<Vec<ProjectId>>,
}

/// What a project holds of its organization's quota.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// The project.
    pub project: ProjectId,
    /// What each of its apps may use that has nothing of its own.
    pub resources: Resources,
    /// Its environments that are not destroyed.
    pub environments: u64,
    /// What those of them may use that have something of their own.
    pub own: Vec<Resources>,
}

/// Stores projects. Deleted ones are found by nobody.
#[async_trait]
pub trait ProjectRepo: Send {
    /// Finds a project.
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> Result<Option<Project>, StoreError>;

    /// Finds a project that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> Result<Option<Project>, StoreError>;

    /// Lists projects, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        filter: &ProjectFilter,
        page: PageRequest<ProjectId>,
    ) -> Result<Page<Project>, StoreError>;

    /// Projects that are not being deleted and whose repository is at one of these addresses,
    /// which are in lower case; oldest first.
    async fn list_of_repository_of_everyone(
        &mut self,
        addresses: &[String],
    ) -> Result<Vec<Project>, StoreError>;

    /// What each of an organization's projects holds, in no order.
    async fn list_holdings(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Vec<Holding>, StoreError>;

    /// Adds a project. Fails with [`StoreError::Taken`] (`"slug"`) when another project of the
    /// organization that is not deleted has its slug. A failed insert leaves the unit of work
    /// usable.
    async fn insert(&mut self, project: &Project) -> Result<(), StoreError>;

    /// Replaces a stored project.
    async fn update(&mut self, project: &Project) -> Result<(), StoreError>;
}
