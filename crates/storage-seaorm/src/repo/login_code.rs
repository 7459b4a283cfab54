//! Codes with which programs get their tokens, in SQL.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use windlass_auth::{LoginCodeRecord, OneTimeHash};
use windlass_domain::{OrganizationId, UserId};
use windlass_storage::{LoginCodeRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::Repo;
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "login_codes";

#[async_trait]
impl LoginCodeRepo for Repo<'_> {
    #[tracing::instrument(name = "db.login_code.insert", level = "debug", skip_all)]
    async fn insert(&mut self, code: &LoginCodeRecord) -> Result<(), StoreError> {
        self.insert_row(Model::from(code)).await
    }

    #[tracing::instrument(name = "db.login_code.find", level = "debug", skip_all)]
    async fn find_of_everyone(
        &mut self,
        code: &OneTimeHash,
    ) -> Result<Option<LoginCodeRecord>, StoreError> {
        self.find_row(Entity::find().filter(Column::Hash.eq(code.as_str()))).await
    }

    #[tracing::instrument(name = "db.login_code.take", level = "debug", skip_all)]
    async fn take_of_everyone(
        &mut self,
        code: &OneTimeHash,
    ) -> Result<Option<LoginCodeRecord>, StoreError> {
        let found = self.find_of_everyone(code).await?;
        let delete = Entity::delete_many().filter(Column::Hash.eq(code.as_str()));
        let deleted = delete.exec(&self.db).await.map_err(store_error)?;
        Ok(found.filter(|_| 0 < deleted.rows_affected))
    }

    #[tracing::instrument(name = "db.login_code.remove_all_of", level = "debug", skip(self))]
    async fn remove_all_of(&mut self, user: UserId) -> Result<(), StoreError> {
        let theirs = Entity::delete_many().filter(Column::UserId.eq(user.to_uuid()));
        theirs.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.login_code.prune", level = "debug", skip(self))]
    async fn prune_of_everyone(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let expired = Entity::delete_many().filter(Column::ExpiresAt.lte(now));
        expired.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "login_codes")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) hash: String,
        pub(super) user_id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) challenge: String,
        pub(super) redirect_uri: String,
        pub(super) label: String,
        pub(super) life_seconds: i64,
        pub(super) expires_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&LoginCodeRecord> for Model {
    fn from(record: &LoginCodeRecord) -> Self {
        let LoginCodeRecord {
            code,
            user_id,
            organization_id,
            challenge,
            redirect,
            label,
            life,
            expires_at,
        } = record;
        Self {
            hash: code.as_str().to_owned(),
            user_id: user_id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            challenge: challenge.to_string(),
            redirect_uri: redirect.to_string(),
            label: label.to_string(),
            life_seconds: life.num_seconds(),
            expires_at: *expires_at,
        }
    }
}

impl TryFrom<Model> for LoginCodeRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            hash,
            user_id,
            organization_id,
            challenge,
            redirect_uri,
            label,
            life_seconds,
            expires_at,
        } = row;
        let life = TimeDelta::try_seconds(life_seconds);
        Ok(Self {
            code: OneTimeHash::from_stored(hash),
            user_id: UserId::from_uuid(user_id),
            organization_id: OrganizationId::from_uuid(organization_id),
            challenge: challenge.parse().map_err(corrupt(TABLE))?,
            redirect: redirect_uri.parse().map_err(corrupt(TABLE))?,
            label: label.parse().map_err(corrupt(TABLE))?,
            life: life.ok_or_else(|| corrupt(TABLE)(BadColumn("life_seconds")))?,
            expires_at,
        })
    }
}
