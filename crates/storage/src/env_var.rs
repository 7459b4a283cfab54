//! Repository of environment variables.

use async_trait::async_trait;
use windlass_domain::{
    EnvVar, EnvVarId, EnvVarKey, EnvironmentId, OrganizationId, Page, PageRequest, ProjectId,
};

use crate::StoreError;

/// Stores environment variables.
#[async_trait]
pub trait EnvVarRepo: Send {
    /// Finds a variable.
    async fn find(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: EnvVarId,
    ) -> Result<Option<EnvVar>, StoreError>;

    /// Finds the variable with this name at exactly this level (project, or one environment), to
    /// be changed by this unit of work.
    async fn find_by_key_for_update(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: Option<EnvironmentId>,
        key: &EnvVarKey,
    ) -> Result<Option<EnvVar>, StoreError>;

    /// Lists a project's variables of both levels, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<EnvVarId>,
    ) -> Result<Page<EnvVar>, StoreError>;

    /// All variables that an environment sees: the project's and its own.
    async fn list_seen_by(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: EnvironmentId,
    ) -> Result<Vec<EnvVar>, StoreError>;

    /// Adds a variable. Fails with [`StoreError::Taken`] (`"key"`) when its level has its name.
    async fn insert(&mut self, var: &EnvVar) -> Result<(), StoreError>;

    /// Replaces a stored variable.
    async fn update(&mut self, var: &EnvVar) -> Result<(), StoreError>;

    /// Removes a variable; `false` when it was not there.
    async fn delete(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: EnvVarId,
    ) -> Result<bool, StoreError>;

    /// Removes the variables that an environment has of its own.
    async fn delete_of_environment(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: EnvironmentId,
    ) -> Result<(), StoreError>;

    /// Removes a project's variables of both levels.
    async fn delete_of_project(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<(), StoreError>;
}
