//! Tokens in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use windlass_auth::{ApiKeyId, TokenId, TokenPurpose, TokenRecord};
use windlass_domain::{OrganizationId, Page, PageRequest, UserId};
use windlass_storage::{StoreError, TokenRepo};

use self::row::{Column, Entity, Model};
use super::{LockForUpdate, Repo};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "tokens";

#[async_trait]
impl TokenRepo for Repo<'_> {
    #[tracing::instrument(name = "db.token.find", level = "debug", skip(self))]
    async fn find_of_everyone(&mut self, id: TokenId) -> Result<Option<TokenRecord>, StoreError> {
        let row = Entity::find_by_id(id.to_uuid()).one(&self.db).await.map_err(store_error)?;
        row.map(TokenRecord::try_from).transpose()
    }

    #[tracing::instrument(name = "db.token.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
    ) -> Result<Option<TokenRecord>, StoreError> {
        let query = Entity::find_by_id(id.to_uuid())
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .lock_for_update();
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.map(TokenRecord::try_from).transpose()
    }

    #[tracing::instrument(name = "db.token.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<TokenId>,
    ) -> Result<Page<TokenRecord>, StoreError> {
        let mut query = Entity::find()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .order_by_desc(Column::Id)
            .limit(page.fetch_limit());
        if let Some(cursor) = page.cursor {
            query = query.filter(Column::Id.lt(cursor.to_uuid()));
        }
        let rows = query.all(&self.db).await.map_err(store_error)?;
        let tokens: Result<Vec<_>, _> = rows.into_iter().map(TokenRecord::try_from).collect();
        Ok(page.page_of(tokens?))
    }

    #[tracing::instrument(name = "db.token.insert", level = "debug", skip_all, fields(id = %token.id))]
    async fn insert(&mut self, token: &TokenRecord) -> Result<(), StoreError> {
        self.insert_row(Model::from(token)).await
    }

    #[tracing::instrument(name = "db.token.update", level = "debug", skip_all, fields(id = %token.id))]
    async fn update(&mut self, token: &TokenRecord) -> Result<(), StoreError> {
        self.update_row(Model::from(token)).await
    }

    #[tracing::instrument(name = "db.token.revoke_all_of", level = "debug", skip(self))]
    async fn revoke_all_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let query = Entity::find()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::CreatedBy.eq(user.to_uuid()))
            // What has ended opens nothing, and may be about to be pruned.
            .filter(Column::ExpiresAt.gt(at));
        self.revoke_rows(query, Column::Id, Column::RevokedAt, at).await
    }

    #[tracing::instrument(name = "db.token.revoke_block", level = "debug", skip(self))]
    async fn revoke_block(
        &mut self,
        token: TokenId,
        revocation_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = revoked::Model {
            revocation_id: revocation_id.to_owned(),
            token_id: token.to_uuid(),
            revoked_at: at,
        };
        // Whether it is there already makes no difference.
        self.try_insert_row(row).await?;
        Ok(())
    }

    #[tracing::instrument(name = "db.token.has_revoked_block", level = "debug", skip(self))]
    async fn has_revoked_block(
        &mut self,
        token: TokenId,
        revocation_ids: &[String],
    ) -> Result<bool, StoreError> {
        let query = revoked::Entity::find()
            .filter(revoked::Column::TokenId.eq(token.to_uuid()))
            .filter(revoked::Column::RevocationId.is_in(revocation_ids));
        let count = query.count(&self.db).await.map_err(store_error)?;
        Ok(0 < count)
    }

    #[tracing::instrument(name = "db.token.prune_links", level = "debug", skip(self))]
    async fn prune_links(&mut self, ended_before: DateTime<Utc>) -> Result<(), StoreError> {
        let ended = Entity::delete_many()
            .filter(Column::IsLink.eq(true))
            .filter(Column::ExpiresAt.lt(ended_before));
        ended.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "tokens")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) label: String,
        pub(super) is_link: bool,
        pub(super) is_login: bool,
        pub(super) issuing_key: Option<Uuid>,
        pub(super) revocation_id: String,
        pub(super) created_by: Uuid,
        pub(super) created_at: DateTimeUtc,
        pub(super) expires_at: DateTimeUtc,
        pub(super) revoked_at: Option<DateTimeUtc>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod revoked {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_blocks")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) revocation_id: String,
        pub(super) token_id: Uuid,
        pub(super) revoked_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&TokenRecord> for Model {
    fn from(token: &TokenRecord) -> Self {
        let TokenRecord {
            id,
            organization_id,
            label,
            purpose,
            revocation_id,
            created_by,
            created_at,
            expires_at,
            revoked_at,
        } = token;
        let (is_link, issuing_key) = match purpose {
            TokenPurpose::Delegation | TokenPurpose::Login => (false, None),
            TokenPurpose::Link { issuing_key } => (true, issuing_key.map(ApiKeyId::to_uuid)),
        };
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            label: label.to_string(),
            is_link,
            is_login: *purpose == TokenPurpose::Login,
            issuing_key,
            revocation_id: revocation_id.clone(),
            created_by: created_by.to_uuid(),
            created_at: *created_at,
            expires_at: *expires_at,
            revoked_at: *revoked_at,
        }
    }
}

impl TryFrom<Model> for TokenRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            label,
            is_link,
            is_login,
            issuing_key,
            revocation_id,
            created_by,
            created_at,
            expires_at,
            revoked_at,
        } = row;
        let purpose = match (is_link, is_login) {
            (true, false) => {
                TokenPurpose::Link { issuing_key: issuing_key.map(ApiKeyId::from_uuid) }
            }
            (false, true) => TokenPurpose::Login,
            (false, false) => TokenPurpose::Delegation,
            (true, true) => return Err(corrupt(TABLE)(BadColumn("is_login"))),
        };
        Ok(Self {
            id: TokenId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            label: label.parse().map_err(corrupt(TABLE))?,
            purpose,
            revocation_id,
            created_by: UserId::from_uuid(created_by),
            created_at,
            expires_at,
            revoked_at,
        })
    }
}
