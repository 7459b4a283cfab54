//! Accounts in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, OnConflict},
};
use windlass_auth::{ExternalIdentity, IdentityProvider, OneTimeHash, PasswordHash};
use windlass_domain::{EmailAddress, User, UserId};
use windlass_storage::{Account, AccountRepo, StoreError};

use super::{
    LockForUpdate, Repo,
    organization::{ADDRESS, users},
};
use crate::error::{BadColumn, corrupt, store_error};

impl Repo<'_> {
    async fn account_of(
        &self,
        query: Select<users::Entity>,
    ) -> Result<Option<Account>, StoreError> {
        let Some(user) = self.find_row::<_, User>(query).await? else {
            return Ok(None);
        };
        let password = passwords::Entity::find_by_id(user.id.to_uuid());
        let password = password.one(&self.db).await.map_err(store_error)?;
        Ok(Some(Account { user, password: password.map(|row| row.hash.into()) }))
    }
}

#[async_trait]
impl AccountRepo for Repo<'_> {
    #[tracing::instrument(name = "db.account.find", level = "debug", skip(self))]
    async fn find(&mut self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.account_of(users::Entity::find_by_id(user.to_uuid())).await
    }

    #[tracing::instrument(name = "db.account.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(&mut self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.account_of(users::Entity::find_by_id(user.to_uuid()).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.account.find_by_email", level = "debug", skip_all)]
    async fn find_by_email_of_everyone(
        &mut self,
        email: &EmailAddress,
    ) -> Result<Option<Account>, StoreError> {
        let query = users::Entity::find().filter(users::Column::Email.eq(email.as_str()));
        self.account_of(query).await
    }

    #[tracing::instrument(name = "db.account.find_by_identity", level = "debug", skip_all)]
    async fn find_by_identity_of_everyone(
        &mut self,
        identity: &ExternalIdentity,
    ) -> Result<Option<Account>, StoreError> {
        let ExternalIdentity { provider, subject } = identity;
        let key = (provider.name().to_owned(), subject.clone());
        let query = external_identities::Entity::find_by_id(key);
        match query.one(&self.db).await.map_err(store_error)? {
            Some(row) => self.account_of(users::Entity::find_by_id(row.user_id)).await,
            None => Ok(None),
        }
    }

    #[tracing::instrument(name = "db.account.update_user", level = "debug", skip_all, fields(id = %user.id))]
    async fn update_user(&mut self, user: &User) -> Result<(), StoreError> {
        let updated = self.update_row(users::Model::from(user)).await;
        if let Err(StoreError::Taken(_)) = updated {
            return Err(StoreError::Taken(ADDRESS));
        }
        updated
    }

    #[tracing::instrument(name = "db.account.set_password", level = "debug", skip(self, password))]
    async fn set_password(
        &mut self,
        user: UserId,
        password: &PasswordHash,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        use passwords::{Column, Entity, Model};

        let hash = password.as_str().to_owned();
        let row = Model { user_id: user.to_uuid(), hash, changed_at: at };
        let replace = OnConflict::column(Column::UserId)
            .update_columns([Column::Hash, Column::ChangedAt])
            .to_owned();
        let insert = Entity::insert(row.into_active_model()).on_conflict(replace);
        insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.account.remove_password", level = "debug", skip(self))]
    async fn remove_password(&mut self, user: UserId) -> Result<(), StoreError> {
        let delete = passwords::Entity::delete_by_id(user.to_uuid());
        delete.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.account.replace_hash", level = "debug", skip(self, old, new))]
    async fn replace_hash(
        &mut self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        use passwords::{Column, Entity};

        let replaced = Entity::update_many()
            .col_expr(Column::Hash, Expr::value(new.as_str()))
            .filter(Column::UserId.eq(user.to_uuid()))
            .filter(Column::Hash.eq(old.as_str()))
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        Ok(0 < replaced.rows_affected)
    }

    #[tracing::instrument(name = "db.account.put_setup_link", level = "debug", skip(self, hash))]
    async fn put_setup_link(
        &mut self,
        user: UserId,
        hash: &OneTimeHash,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        use setup_links::{Column, Entity, Model};

        let row = Model { user_id: user.to_uuid(), hash: hash.as_str().to_owned(), expires_at };
        let replace = OnConflict::column(Column::UserId)
            .update_columns([Column::Hash, Column::ExpiresAt])
            .to_owned();
        let insert = Entity::insert(row.into_active_model()).on_conflict(replace);
        insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.account.find_setup_link", level = "debug", skip(self, hash))]
    async fn find_setup_link(
        &mut self,
        hash: &OneTimeHash,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>, StoreError> {
        use setup_links::{Column, Entity};

        let query =
            Entity::find().filter(Column::Hash.eq(hash.as_str())).filter(Column::ExpiresAt.gt(now));
        let row = query.one(&self.db).await.map_err(store_error)?;
        Ok(row.map(|row| UserId::from_uuid(row.user_id)))
    }

    #[tracing::instrument(name = "db.account.take_setup_link", level = "debug", skip(self, hash))]
    async fn take_setup_link(
        &mut self,
        hash: &OneTimeHash,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>, StoreError> {
        use setup_links::{Column, Entity};

        let found = self.find_setup_link(hash, now).await?;
        let delete = Entity::delete_many().filter(Column::Hash.eq(hash.as_str()));
        let deleted = delete.exec(&self.db).await.map_err(store_error)?;
        Ok(found.filter(|_| 0 < deleted.rows_affected))
    }

    #[tracing::instrument(name = "db.account.identities_of", level = "debug", skip(self))]
    async fn identities_of(&mut self, user: UserId) -> Result<Vec<ExternalIdentity>, StoreError> {
        use external_identities::{Column, Entity};

        let query = Entity::find()
            .filter(Column::UserId.eq(user.to_uuid()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Subject);
        self.list_rows(query).await
    }

    #[tracing::instrument(
        name = "db.account.insert_identity",
        level = "debug",
        skip(self, identity)
    )]
    async fn insert_identity(
        &mut self,
        user: UserId,
        identity: &ExternalIdentity,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = external_identities::Model {
            provider: identity.provider.name().to_owned(),
            subject: identity.subject.clone(),
            user_id: user.to_uuid(),
            created_at: at,
        };
        let is_new = self.try_insert_row(row).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("identity")) }
    }

    #[tracing::instrument(name = "db.account.remove_identities_of", level = "debug", skip(self))]
    async fn remove_identities_of(&mut self, user: UserId) -> Result<(), StoreError> {
        use external_identities::{Column, Entity};

        let delete = Entity::delete_many().filter(Column::UserId.eq(user.to_uuid()));
        delete.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

mod passwords {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "passwords")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) user_id: Uuid,
        pub(super) hash: String,
        pub(super) changed_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod setup_links {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "setup_links")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) user_id: Uuid,
        pub(super) hash: String,
        pub(super) expires_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod external_identities {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "external_identities")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) provider: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) subject: String,
        pub(super) user_id: Uuid,
        pub(super) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl TryFrom<external_identities::Model> for ExternalIdentity {
    type Error = StoreError;

    fn try_from(row: external_identities::Model) -> Result<Self, Self::Error> {
        let provider = IdentityProvider::from_name(&row.provider);
        let provider =
            provider.ok_or_else(|| corrupt("external_identities")(BadColumn("provider")))?;
        Ok(Self { provider, subject: row.subject })
    }
}
