//! Requests that are carried out once, in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use windlass_domain::{OrganizationId, SealedValue, UserId};
use windlass_storage::{OnceKey, OnceRecord, OnceRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo, from_stored};
use crate::error::store_error;

const TABLE: &str = "once_requests";

#[async_trait]
impl OnceRepo for Repo<'_> {
    #[tracing::instrument(name = "db.once.find_for_update", level = "debug", skip_all)]
    async fn find_for_update(&mut self, key: &OnceKey) -> Result<Option<OnceRecord>, StoreError> {
        self.find_row(Entity::find().filter(named(key)).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.once.insert", level = "debug", skip_all)]
    async fn insert(&mut self, record: &OnceRecord) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(record)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("key")) }
    }

    #[tracing::instrument(name = "db.once.update", level = "debug", skip_all)]
    async fn update(&mut self, record: &OnceRecord) -> Result<(), StoreError> {
        self.update_row(Model::from(record)).await
    }

    #[tracing::instrument(name = "db.once.delete", level = "debug", skip_all)]
    async fn delete(&mut self, key: &OnceKey) -> Result<(), StoreError> {
        let deleted = Entity::delete_many().filter(named(key)).exec(&self.db).await;
        deleted.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.once.prune", level = "debug", skip(self))]
    async fn prune_of_everyone(&mut self, sent_before: DateTime<Utc>) -> Result<(), StoreError> {
        let old = Entity::delete_many().filter(Column::CreatedAt.lt(sent_before));
        old.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

fn named(key: &OnceKey) -> Condition {
    let OnceKey { organization_id, user_id, operation, key } = key;
    Condition::all()
        .add(Column::OrganizationId.eq(organization_id.to_uuid()))
        .add(Column::UserId.eq(user_id.to_uuid()))
        .add(Column::Operation.eq(operation))
        .add(Column::Key.eq(key))
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "once_requests")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) operation: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) key: String,
        pub(super) fingerprint: String,
        pub(super) attempt: i64,
        pub(super) leased_until: DateTimeUtc,
        pub(super) sealing_key_id: Option<i64>,
        pub(super) answer: Option<Vec<u8>>,
        pub(super) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&OnceRecord> for Model {
    fn from(record: &OnceRecord) -> Self {
        let OnceRecord { key, fingerprint, attempt, leased_until, answer, created_at } = record;
        let OnceKey { organization_id, user_id, operation, key } = key;
        let answer = answer.as_ref();
        Self {
            organization_id: organization_id.to_uuid(),
            user_id: user_id.to_uuid(),
            operation: operation.clone(),
            key: key.clone(),
            fingerprint: fingerprint.clone(),
            attempt: i64::from(*attempt),
            leased_until: *leased_until,
            sealing_key_id: answer.map(|answer| i64::from(answer.key_id)),
            answer: answer.map(|answer| answer.bytes.clone()),
            created_at: *created_at,
        }
    }
}

impl TryFrom<Model> for OnceRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            organization_id,
            user_id,
            operation,
            key,
            fingerprint,
            attempt,
            leased_until,
            sealing_key_id,
            answer,
            created_at,
        } = row;
        let answer = sealing_key_id.zip(answer).map(|(key_id, bytes)| {
            let key_id = from_stored(key_id, TABLE, "sealing_key_id")?;
            Ok::<_, StoreError>(SealedValue { key_id, bytes })
        });
        Ok(Self {
            key: OnceKey {
                organization_id: OrganizationId::from_uuid(organization_id),
                user_id: UserId::from_uuid(user_id),
                operation,
                key,
            },
            fingerprint,
            attempt: from_stored(attempt, TABLE, "attempt")?,
            leased_until,
            answer: answer.transpose()?,
            created_at,
        })
    }
}
