//! The keys that sign tokens, in SQL.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use windlass_domain::SealedValue;
use windlass_storage::{RootKeyRepo, StoreError, StoredRootKey};

use self::row::{Column, Entity, Model};
use super::{Repo, from_stored};
use crate::error::store_error;

const TABLE: &str = "root_keys";

#[async_trait]
impl RootKeyRepo for Repo<'_> {
    #[tracing::instrument(name = "db.root_key.list", level = "debug", skip(self))]
    async fn list(&mut self) -> Result<Vec<StoredRootKey>, StoreError> {
        let query = Entity::find().order_by_asc(Column::Number);
        let rows = query.all(&self.db).await.map_err(store_error)?;
        rows.into_iter().map(StoredRootKey::try_from).collect()
    }

    #[tracing::instrument(name = "db.root_key.insert", level = "debug", skip_all, fields(number = key.number))]
    async fn insert(&mut self, key: &StoredRootKey) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(key)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("number")) }
    }

    #[tracing::instrument(name = "db.root_key.delete_before", level = "debug", skip(self))]
    async fn delete_before(&mut self, number: u32) -> Result<(), StoreError> {
        let older = Entity::delete_many().filter(Column::Number.lt(i64::from(number)));
        older.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "root_keys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) number: i64,
        pub(super) sealing_key_id: i64,
        pub(super) sealed: Vec<u8>,
        pub(super) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&StoredRootKey> for Model {
    fn from(key: &StoredRootKey) -> Self {
        let StoredRootKey { number, sealed: SealedValue { key_id, bytes }, created_at } = key;
        Self {
            number: i64::from(*number),
            sealing_key_id: i64::from(*key_id),
            sealed: bytes.clone(),
            created_at: *created_at,
        }
    }
}

impl TryFrom<Model> for StoredRootKey {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model { number, sealing_key_id, sealed, created_at } = row;
        let key_id = from_stored(sealing_key_id, TABLE, "sealing_key_id")?;
        Ok(Self {
            number: from_stored(number, TABLE, "number")?,
            sealed: SealedValue { key_id, bytes: sealed },
            created_at,
        })
    }
}
