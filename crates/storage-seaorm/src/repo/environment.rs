//! Environments in SQL.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select, sea_query::Expr};
use windlass_domain::{
    DeploymentId, Environment, EnvironmentId, EnvironmentState, OrganizationId, Page, PageRequest,
    ProjectId,
};
use windlass_storage::{EnvironmentRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, from_stored, required, to_stored};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "environments";

fn find_one(organization: OrganizationId, id: EnvironmentId) -> Select<Entity> {
    Entity::find_by_id(id.to_uuid()).filter(Column::OrganizationId.eq(organization.to_uuid()))
}

/// Environments that are not destroyed. Written out, or the index would not be used.
fn find_present() -> Select<Entity> {
    Entity::find().filter(Expr::cust("state <> 'destroyed'"))
}

/// How many environments each project of an organization has that are not destroyed.
pub(super) fn count_present_by_project(organization: OrganizationId) -> Select<Entity> {
    find_present()
        .filter(Column::OrganizationId.eq(organization.to_uuid()))
        .select_only()
        .column(Column::ProjectId)
        .column_as(Column::Id.count(), "environments")
        .group_by(Column::ProjectId)
}

#[async_trait]
impl EnvironmentRepo for Repo<'_> {
    #[tracing::instrument(name = "db.environment.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        self.find_row(find_one(organization, id)).await
    }

    #[tracing::instrument(name = "db.environment.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<Option<Environment>, StoreError> {
        self.find_row(find_one(organization, id).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.environment.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<EnvironmentId>,
    ) -> Result<Page<Environment>, StoreError> {
        let query = find_present()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::ProjectId.eq(project.to_uuid()));
        self.list_page(query, Column::Id, page).await
    }

    #[tracing::instrument(name = "db.environment.list_present", level = "debug", skip_all)]
    async fn list_present_of_everyone(&mut self) -> Result<Vec<Environment>, StoreError> {
        self.list_rows(find_present()).await
    }

    #[tracing::instrument(name = "db.environment.insert", level = "debug", skip_all, fields(id = %environment.id))]
    async fn insert(&mut self, environment: &Environment) -> Result<(), StoreError> {
        if self.try_insert_row(Model::from(environment)).await? {
            return Ok(());
        }
        let same_branch = find_present()
            .filter(Column::ProjectId.eq(environment.project_id.to_uuid()))
            .filter(Column::Branch.eq(environment.branch.as_str()))
            .one(&self.db)
            .await
            .map_err(store_error)?;
        Err(StoreError::Taken(if same_branch.is_some() { "branch" } else { "host" }))
    }

    #[tracing::instrument(name = "db.environment.update", level = "debug", skip_all, fields(id = %environment.id))]
    async fn update(&mut self, environment: &Environment) -> Result<(), StoreError> {
        self.update_row(Model::from(environment)).await
    }
}

pub(super) mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "environments")]
    pub(in crate::repo) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::repo) id: Uuid,
        pub(in crate::repo) organization_id: Uuid,
        pub(in crate::repo) project_id: Uuid,
        pub(in crate::repo) branch: String,
        pub(in crate::repo) host: String,
        pub(in crate::repo) state: String,
        pub(in crate::repo) reason: Option<String>,
        pub(in crate::repo) destroyed_at: Option<DateTimeUtc>,
        pub(in crate::repo) live_deployment: Option<Uuid>,
        pub(in crate::repo) was_live: bool,
        pub(in crate::repo) created_at: DateTimeUtc,
        pub(in crate::repo) updated_at: DateTimeUtc,
        pub(in crate::repo) version: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&Environment> for Model {
    fn from(environment: &Environment) -> Self {
        let Environment {
            id,
            organization_id,
            project_id,
            branch,
            host,
            state,
            live_deployment,
            was_live,
            created_at,
            updated_at,
            version,
        } = environment;
        let (reason, destroyed_at) = match state {
            EnvironmentState::Provisioning
            | EnvironmentState::Active
            | EnvironmentState::Paused
            | EnvironmentState::Destroying => (None, None),
            EnvironmentState::Failed { reason } => (Some(reason.clone()), None),
            EnvironmentState::Destroyed { at } => (None, Some(*at)),
        };
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            branch: branch.to_string(),
            host: host.to_string(),
            state: state.name().to_owned(),
            reason,
            destroyed_at,
            live_deployment: live_deployment.map(DeploymentId::to_uuid),
            was_live: *was_live,
            created_at: *created_at,
            updated_at: *updated_at,
            version: to_stored(*version),
        }
    }
}

impl TryFrom<Model> for Environment {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            project_id,
            branch,
            host,
            state,
            reason,
            destroyed_at,
            live_deployment,
            was_live,
            created_at,
            updated_at,
            version,
        } = row;
        Ok(Self {
            id: EnvironmentId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            branch: branch.parse().map_err(corrupt(TABLE))?,
            host: host.parse().map_err(corrupt(TABLE))?,
            state: match state.as_str() {
                "provisioning" => EnvironmentState::Provisioning,
                "active" => EnvironmentState::Active,
                "paused" => EnvironmentState::Paused,
                "failed" => EnvironmentState::Failed { reason: required(reason, TABLE, "reason")? },
                "destroying" => EnvironmentState::Destroying,
                "destroyed" => EnvironmentState::Destroyed {
                    at: required(destroyed_at, TABLE, "destroyed_at")?,
                },
                _ => return Err(corrupt(TABLE)(BadColumn("state"))),
            },
            live_deployment: live_deployment.map(DeploymentId::from_uuid),
            was_live,
            created_at,
            updated_at,
            version: from_stored(version, TABLE, "version")?,
        })
    }
}
