//! The keys that sign, in SQL.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use windlass_domain::SealedValue;
use windlass_storage::{SigningKeyRepo, SigningPurpose, StoreError, StoredSigningKey};

use self::row::{Column, Entity, Model};
use super::{Repo, from_stored};
use crate::error::store_error;

const TABLE: &str = "signing_keys";

#[async_trait]
impl SigningKeyRepo for Repo<'_> {
    #[tracing::instrument(name = "db.signing_key.list", level = "debug", skip(self))]
    async fn list(&mut self, purpose: SigningPurpose) -> Result<Vec<StoredSigningKey>, StoreError> {
        let query = Entity::find().filter(Column::Purpose.eq(purpose.name()));
        self.list_rows(query.order_by_asc(Column::Number)).await
    }

    #[tracing::instrument(name = "db.signing_key.insert", level = "debug", skip_all, fields(number = key.number))]
    async fn insert(
        &mut self,
        purpose: SigningPurpose,
        key: &StoredSigningKey,
    ) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(row(purpose, key)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("number")) }
    }

    #[tracing::instrument(name = "db.signing_key.delete_before", level = "debug", skip(self))]
    async fn delete_before(
        &mut self,
        purpose: SigningPurpose,
        number: u32,
    ) -> Result<(), StoreError> {
        let older = Entity::delete_many()
            .filter(Column::Purpose.eq(purpose.name()))
            .filter(Column::Number.lt(i64::from(number)));
        older.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) purpose: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) number: i64,
        pub(super) sealing_key_id: i64,
        pub(super) sealed: Vec<u8>,
        pub(super) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn row(purpose: SigningPurpose, key: &StoredSigningKey) -> Model {
    let StoredSigningKey { number, sealed: SealedValue { key_id, bytes }, created_at } = key;
    Model {
        purpose: purpose.name().to_owned(),
        number: i64::from(*number),
        sealing_key_id: i64::from(*key_id),
        sealed: bytes.clone(),
        created_at: *created_at,
    }
}

impl TryFrom<Model> for StoredSigningKey {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model { purpose: _, number, sealing_key_id, sealed, created_at } = row;
        let key_id = from_stored(sealing_key_id, TABLE, "sealing_key_id")?;
        Ok(Self {
            number: from_stored(number, TABLE, "number")?,
            sealed: SealedValue { key_id, bytes: sealed },
            created_at,
        })
    }
}
