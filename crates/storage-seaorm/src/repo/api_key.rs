//! API keys in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use windlass_auth::{ApiKeyId, ApiKeyRecord, ImportedFormat, Rehash};
use windlass_domain::{OrganizationId, Page, PageRequest, UserId};
use windlass_storage::{ApiKeyRepo, StoreError};

use self::row::{Column, Entity, Hash, Model};
use super::{LockForUpdate, Repo};
use crate::error::{corrupt, store_error};

const TABLE: &str = "api_keys";

#[async_trait]
impl ApiKeyRepo for Repo<'_> {
    #[tracing::instrument(name = "db.api_key.find_by_lookup", level = "debug", skip_all)]
    async fn find_by_lookup_of_everyone(
        &mut self,
        lookup: &str,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        self.find_row(Entity::find().filter(Column::Lookup.eq(lookup))).await
    }

    #[tracing::instrument(name = "db.api_key.find_by_imported_start", level = "debug", skip_all)]
    async fn find_by_imported_start_of_everyone(
        &mut self,
        start: &str,
    ) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let query = Entity::find()
            .filter(Column::ImportedStart.eq(start))
            .order_by_asc(Column::Id)
            .limit(ImportedFormat::MOST_ALIKE as u64);
        let rows = query.all(&self.db).await.map_err(store_error)?;
        rows.into_iter().map(ApiKeyRecord::try_from).collect()
    }

    #[tracing::instrument(name = "db.api_key.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let query = Entity::find_by_id(id.to_uuid())
            .filter(Column::OrganizationId.eq(organization.to_uuid()));
        self.find_row(query).await
    }

    #[tracing::instrument(name = "db.api_key.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let query = Entity::find_by_id(id.to_uuid())
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .lock_for_update();
        self.find_row(query).await
    }

    #[tracing::instrument(name = "db.api_key.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<ApiKeyId>,
    ) -> Result<Page<ApiKeyRecord>, StoreError> {
        let query = Entity::find().filter(Column::OrganizationId.eq(organization.to_uuid()));
        self.list_page(query, Column::Id, page).await
    }

    #[tracing::instrument(name = "db.api_key.insert", level = "debug", skip_all, fields(id = %key.id))]
    async fn insert(&mut self, key: &ApiKeyRecord) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(key)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("lookup")) }
    }

    #[tracing::instrument(name = "db.api_key.update", level = "debug", skip_all, fields(id = %key.id))]
    async fn update(&mut self, key: &ApiKeyRecord) -> Result<(), StoreError> {
        let mut row = Model::from(key).into_active_model().reset_all();
        row.last_used_at = NotSet;
        Entity::update(row).exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.api_key.revoke_all_of", level = "debug", skip(self))]
    async fn revoke_all_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let query = Entity::find()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::CreatedBy.eq(user.to_uuid()));
        self.revoke_rows(query, Column::Id, Column::RevokedAt, at).await
    }

    #[tracing::instrument(name = "db.api_key.replace_hash", level = "debug", skip_all, fields(id = %rehash.id))]
    async fn replace_hash(&mut self, rehash: &Rehash) -> Result<bool, StoreError> {
        let Rehash { id, old, new } = rehash;
        let replaced = Entity::update_many()
            .col_expr(Column::Hash, Expr::value(new.as_str()))
            .filter(Column::Id.eq(id.to_uuid()))
            .filter(Column::Hash.eq(old.as_str()))
            .filter(Column::RevokedAt.is_null())
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        Ok(0 < replaced.rows_affected)
    }

    #[tracing::instrument(name = "db.api_key.note_used", level = "debug", skip_all, fields(count = uses.len()))]
    async fn note_used(&mut self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError> {
        // Everybody locks the rows in the same order, or two batches could wait for each other.
        let mut uses = uses.to_vec();
        uses.sort_unstable();
        for (id, at) in uses {
            let is_older =
                Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(at));
            Entity::update_many()
                .col_expr(Column::LastUsedAt, Expr::value(at))
                .filter(Column::Id.eq(id.to_uuid()))
                .filter(is_older)
                .exec(&self.db)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }
}

mod row {
    use std::fmt;

    use sea_orm::entity::prelude::*;

    /// The hash would let a reader of logs guess at the key.
    #[derive(Clone, PartialEq, Eq, DeriveValueType)]
    pub(super) struct Hash(pub(super) String);

    impl fmt::Debug for Hash {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Hash")
        }
    }

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_keys")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) lookup: String,
        pub(super) prefix: String,
        pub(super) hash: Hash,
        pub(super) name: String,
        pub(super) scopes: String,
        pub(super) project_ids: Option<String>,
        pub(super) allowed_addresses: Option<String>,
        pub(super) imported_start: Option<String>,
        pub(super) created_by: Uuid,
        pub(super) created_at: DateTimeUtc,
        pub(super) expires_at: Option<DateTimeUtc>,
        pub(super) revoked_at: Option<DateTimeUtc>,
        pub(super) last_used_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&ApiKeyRecord> for Model {
    fn from(key: &ApiKeyRecord) -> Self {
        let ApiKeyRecord {
            id,
            organization_id,
            lookup,
            prefix,
            hash,
            name,
            scopes,
            project_ids,
            allowed_addresses,
            imported_start,
            created_by,
            created_at,
            expires_at,
            revoked_at,
            last_used_at,
        } = key;
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            lookup: lookup.clone(),
            prefix: prefix.clone(),
            hash: Hash(hash.clone()),
            name: name.to_string(),
            scopes: serde_json::json!(scopes).to_string(),
            project_ids: project_ids.as_ref().map(|ids| serde_json::json!(ids).to_string()),
            allowed_addresses: allowed_addresses
                .as_ref()
                .map(|list| serde_json::json!(list).to_string()),
            imported_start: imported_start.clone(),
            created_by: created_by.to_uuid(),
            created_at: *created_at,
            expires_at: *expires_at,
            revoked_at: *revoked_at,
            last_used_at: *last_used_at,
        }
    }
}

impl TryFrom<Model> for ApiKeyRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            lookup,
            prefix,
            hash,
            name,
            scopes,
            project_ids,
            allowed_addresses,
            imported_start,
            created_by,
            created_at,
            expires_at,
            revoked_at,
            last_used_at,
        } = row;
        let project_ids = project_ids.map(|ids| serde_json::from_str(&ids)).transpose();
        let allowed_addresses =
            allowed_addresses.map(|list| serde_json::from_str(&list)).transpose();
        Ok(Self {
            id: ApiKeyId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            lookup,
            prefix,
            hash: hash.0,
            name: name.parse().map_err(corrupt(TABLE))?,
            scopes: serde_json::from_str(&scopes).map_err(corrupt(TABLE))?,
            project_ids: project_ids.map_err(corrupt(TABLE))?,
            allowed_addresses: allowed_addresses.map_err(corrupt(TABLE))?,
            imported_start,
            created_by: UserId::from_uuid(created_by),
            created_at,
            expires_at,
            revoked_at,
            last_used_at,
        })
    }
}
