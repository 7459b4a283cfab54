//! Browser sessions in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};
use windlass_auth::{SessionId, SessionRecord};
use windlass_domain::{Page, PageRequest, UserId};
use windlass_storage::{SessionRepo, StoreError};

use self::row::{Column, Entity, Model};
use super::Repo;
use crate::error::{corrupt, store_error};

const TABLE: &str = "sessions";

#[async_trait]
impl SessionRepo for Repo<'_> {
    #[tracing::instrument(name = "db.session.find", level = "debug", skip(self))]
    async fn find_of_everyone(
        &mut self,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.find_row(Entity::find_by_id(id.to_uuid())).await
    }

    #[tracing::instrument(name = "db.session.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        user: UserId,
        page: PageRequest<SessionId>,
    ) -> Result<Page<SessionRecord>, StoreError> {
        let query = Entity::find().filter(Column::UserId.eq(user.to_uuid()));
        self.list_page(query, Column::Id, page).await
    }

    #[tracing::instrument(name = "db.session.insert", level = "debug", skip_all, fields(id = %session.id))]
    async fn insert(&mut self, session: &SessionRecord) -> Result<(), StoreError> {
        self.insert_row(Model::from(session)).await
    }

    #[tracing::instrument(name = "db.session.delete", level = "debug", skip(self))]
    async fn delete(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let delete = Entity::delete_many()
            .filter(Column::Id.eq(id.to_uuid()))
            .filter(Column::UserId.eq(user.to_uuid()));
        let deleted = delete.exec(&self.db).await.map_err(store_error)?;
        Ok(0 < deleted.rows_affected)
    }

    #[tracing::instrument(name = "db.session.delete_others", level = "debug", skip(self))]
    async fn delete_others(
        &mut self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let mut delete = Entity::delete_many().filter(Column::UserId.eq(user.to_uuid()));
        if let Some(but) = but {
            delete = delete.filter(Column::Id.ne(but.to_uuid()));
        }
        delete.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.session.note_seen", level = "debug", skip_all, fields(count = uses.len()))]
    async fn note_seen(&mut self, uses: &[(SessionId, DateTime<Utc>)]) -> Result<(), StoreError> {
        // Everybody locks the rows in the same order, or two batches could wait for each other.
        let mut uses = uses.to_vec();
        uses.sort_unstable();
        for (id, at) in uses {
            Entity::update_many()
                .col_expr(Column::LastSeenAt, Expr::value(at))
                .filter(Column::Id.eq(id.to_uuid()))
                .filter(Column::LastSeenAt.lt(at))
                .exec(&self.db)
                .await
                .map_err(store_error)?;
        }
        Ok(())
    }

    #[tracing::instrument(name = "db.session.prune", level = "debug", skip(self))]
    async fn prune(
        &mut self,
        now: DateTime<Utc>,
        unused_since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let is_over = Condition::any()
            .add(Column::ExpiresAt.lte(now))
            .add(Column::LastSeenAt.lt(unused_since));
        Entity::delete_many().filter(is_over).exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) user_id: Uuid,
        pub(super) created_at: DateTimeUtc,
        pub(super) expires_at: DateTimeUtc,
        pub(super) last_seen_at: DateTimeUtc,
        pub(super) user_agent: String,
        pub(super) address: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&SessionRecord> for Model {
    fn from(session: &SessionRecord) -> Self {
        let SessionRecord {
            id,
            user_id,
            created_at,
            expires_at,
            last_seen_at,
            user_agent,
            address,
        } = session;
        Self {
            id: id.to_uuid(),
            user_id: user_id.to_uuid(),
            created_at: *created_at,
            expires_at: *expires_at,
            last_seen_at: *last_seen_at,
            user_agent: user_agent.clone(),
            address: address.map(|address| address.to_string()),
        }
    }
}

impl TryFrom<Model> for SessionRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model { id, user_id, created_at, expires_at, last_seen_at, user_agent, address } = row;
        Ok(Self {
            id: SessionId::from_uuid(id),
            user_id: UserId::from_uuid(user_id),
            created_at,
            expires_at,
            last_seen_at,
            user_agent,
            address: address.map(|text| text.parse()).transpose().map_err(corrupt(TABLE))?,
        })
    }
}
