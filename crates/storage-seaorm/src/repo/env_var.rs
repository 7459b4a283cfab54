//! Environment variables in SQL. Values come here encrypted.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, Condition, DeleteMany, EntityTrait, QueryFilter, QueryOrder, Select};
use windlass_domain::{
    EnvVar, EnvVarId, EnvVarKey, EnvironmentId, OrganizationId, Page, PageRequest, ProjectId,
    SealedValue,
};
use windlass_storage::{EnvVarRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, from_stored};
use crate::error::{corrupt, store_error};

const TABLE: &str = "env_vars";

fn find_in(organization: OrganizationId, project: ProjectId) -> Select<Entity> {
    Entity::find()
        .filter(Column::OrganizationId.eq(organization.to_uuid()))
        .filter(Column::ProjectId.eq(project.to_uuid()))
}

fn delete_in(organization: OrganizationId, project: ProjectId) -> DeleteMany<Entity> {
    Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization.to_uuid()))
        .filter(Column::ProjectId.eq(project.to_uuid()))
}

#[async_trait]
impl EnvVarRepo for Repo<'_> {
    #[tracing::instrument(name = "db.env_var.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: EnvVarId,
    ) -> Result<Option<EnvVar>, StoreError> {
        self.find_row(find_in(organization, project).filter(Column::Id.eq(id.to_uuid()))).await
    }

    #[tracing::instrument(name = "db.env_var.find_by_key_for_update", level = "debug", skip(self))]
    async fn find_by_key_for_update(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: Option<EnvironmentId>,
        key: &EnvVarKey,
    ) -> Result<Option<EnvVar>, StoreError> {
        let at_level = match environment {
            Some(environment) => Column::EnvironmentId.eq(environment.to_uuid()),
            None => Column::EnvironmentId.is_null(),
        };
        let query = find_in(organization, project)
            .filter(at_level)
            .filter(Column::Key.eq(key.as_str()))
            .lock_for_update();
        self.find_row(query).await
    }

    #[tracing::instrument(name = "db.env_var.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        page: PageRequest<EnvVarId>,
    ) -> Result<Page<EnvVar>, StoreError> {
        self.list_page(find_in(organization, project), Column::Id, page).await
    }

    #[tracing::instrument(name = "db.env_var.list_seen_by", level = "debug", skip(self))]
    async fn list_seen_by(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: EnvironmentId,
    ) -> Result<Vec<EnvVar>, StoreError> {
        let is_seen = Condition::any()
            .add(Column::EnvironmentId.is_null())
            .add(Column::EnvironmentId.eq(environment.to_uuid()));
        self.list_rows(find_in(organization, project).filter(is_seen).order_by_asc(Column::Id))
            .await
    }

    #[tracing::instrument(name = "db.env_var.insert", level = "debug", skip_all, fields(id = %var.id))]
    async fn insert(&mut self, var: &EnvVar) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(var)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("key")) }
    }

    #[tracing::instrument(name = "db.env_var.update", level = "debug", skip_all, fields(id = %var.id))]
    async fn update(&mut self, var: &EnvVar) -> Result<(), StoreError> {
        self.update_row(Model::from(var)).await
    }

    #[tracing::instrument(name = "db.env_var.delete", level = "debug", skip(self))]
    async fn delete(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: EnvVarId,
    ) -> Result<bool, StoreError> {
        let query = delete_in(organization, project).filter(Column::Id.eq(id.to_uuid()));
        let deleted = query.exec(&self.db).await.map_err(store_error)?;
        Ok(0 < deleted.rows_affected)
    }

    #[tracing::instrument(name = "db.env_var.delete_of_environment", level = "debug", skip(self))]
    async fn delete_of_environment(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: EnvironmentId,
    ) -> Result<(), StoreError> {
        let query = delete_in(organization, project)
            .filter(Column::EnvironmentId.eq(environment.to_uuid()));
        query.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.env_var.delete_of_project", level = "debug", skip(self))]
    async fn delete_of_project(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<(), StoreError> {
        delete_in(organization, project).exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "env_vars")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) project_id: Uuid,
        pub(super) environment_id: Option<Uuid>,
        pub(super) previews: bool,
        pub(super) key: String,
        pub(super) value_key_id: i64,
        pub(super) value: Vec<u8>,
        pub(super) created_at: DateTimeUtc,
        pub(super) updated_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&EnvVar> for Model {
    fn from(var: &EnvVar) -> Self {
        let EnvVar {
            id,
            organization_id,
            project_id,
            environment_id,
            previews,
            key,
            value: SealedValue { key_id, bytes },
            created_at,
            updated_at,
        } = var;
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            project_id: project_id.to_uuid(),
            environment_id: environment_id.map(EnvironmentId::to_uuid),
            previews: *previews,
            key: key.to_string(),
            value_key_id: i64::from(*key_id),
            value: bytes.clone(),
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }
}

impl TryFrom<Model> for EnvVar {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            project_id,
            environment_id,
            previews,
            key,
            value_key_id,
            value,
            created_at,
            updated_at,
        } = row;
        let key_id = from_stored(value_key_id, TABLE, "value_key_id")?;
        Ok(Self {
            id: EnvVarId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            project_id: ProjectId::from_uuid(project_id),
            environment_id: environment_id.map(EnvironmentId::from_uuid),
            previews,
            key: key.parse().map_err(corrupt(TABLE))?,
            value: SealedValue { key_id, bytes: value },
            created_at,
            updated_at,
        })
    }
}
