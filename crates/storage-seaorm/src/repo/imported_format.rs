//! Formats of imported API keys in SQL.

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryOrder, sea_query::OnConflict,
};
use windlass_auth::{BcryptCost, ImportedFormat};
use windlass_storage::{ImportedFormatRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::Repo;
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "imported_key_formats";

/// Taken by whoever imports keys, until its transaction ends.
const IMPORT_LOCK: &str = "SELECT pg_advisory_xact_lock(7311861031042715236)";

#[async_trait]
impl ImportedFormatRepo for Repo<'_> {
    #[tracing::instrument(name = "db.imported_format.list", level = "debug", skip_all)]
    async fn list_of_everyone(&mut self) -> Result<Vec<ImportedFormat>, StoreError> {
        let query = Entity::find().order_by_asc(Column::Prefix);
        let rows = query.all(&self.db).await.map_err(store_error)?;
        rows.into_iter().map(ImportedFormat::try_from).collect()
    }

    #[tracing::instrument(name = "db.imported_format.list_for_update", level = "debug", skip_all)]
    async fn list_of_everyone_for_update(&mut self) -> Result<Vec<ImportedFormat>, StoreError> {
        // There may be no row yet that could be locked; SQLite has only one writer anyway.
        if self.db.get_database_backend() == DbBackend::Postgres {
            self.db.execute_unprepared(IMPORT_LOCK).await.map_err(store_error)?;
        }
        self.list_of_everyone().await
    }

    #[tracing::instrument(name = "db.imported_format.put", level = "debug", skip_all)]
    async fn put(&mut self, format: &ImportedFormat) -> Result<(), StoreError> {
        let replace = OnConflict::column(Column::Prefix)
            .update_columns([Column::StartLength, Column::MostAlike, Column::Cost])
            .to_owned();
        let insert = Entity::insert(Model::from(format).into_active_model()).on_conflict(replace);
        insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "imported_key_formats")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) prefix: String,
        pub(super) start_length: i32,
        pub(super) most_alike: i32,
        pub(super) cost: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&ImportedFormat> for Model {
    fn from(format: &ImportedFormat) -> Self {
        // All of them are bounded by far less.
        fn small<T: TryInto<i32>>(number: T) -> i32 {
            number.try_into().unwrap_or(i32::MAX)
        }
        let ImportedFormat { prefix, start_length, most_alike, cost } = format;
        Self {
            prefix: prefix.clone(),
            start_length: small(*start_length),
            most_alike: small(*most_alike),
            cost: small(cost.get()),
        }
    }
}

impl TryFrom<Model> for ImportedFormat {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model { prefix, start_length, most_alike, cost } = row;
        let count = |number: i32, column| {
            usize::try_from(number).map_err(|_| corrupt(TABLE)(BadColumn(column)))
        };
        let cost = u32::try_from(cost).ok().and_then(|cost| BcryptCost::new(cost).ok());
        Ok(Self {
            prefix,
            start_length: count(start_length, "start_length")?,
            most_alike: count(most_alike, "most_alike")?,
            cost: cost.ok_or_else(|| corrupt(TABLE)(BadColumn("cost")))?,
        })
    }
}
