//! Tenants and people in SQL.

use async_trait::async_trait;
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ColumnTrait, ConnectionTrait, DbBackend, DbErr,
    EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use windlass_auth::{Membership, Role};
use windlass_domain::{Organization, OrganizationId, User, UserId};
use windlass_storage::{OrganizationRepo, StoreError};

use super::{LockForUpdate, Repo, from_stored};
use crate::error::{corrupt, store_error};

/// What is unique about a person.
pub(super) const ADDRESS: &str = "e-mail address";

/// Taken by whoever may create the first organization, until its transaction ends.
const FIRST_LOCK: &str = "SELECT pg_advisory_xact_lock(7311861031042715235)";

#[async_trait]
impl OrganizationRepo for Repo<'_> {
    #[tracing::instrument(name = "db.organization.first_of_everyone", level = "debug", skip_all)]
    async fn first_of_everyone(&mut self) -> Result<Option<Organization>, StoreError> {
        self.find_row(organizations::Entity::find().order_by_asc(organizations::Column::Id)).await
    }

    #[tracing::instrument(
        name = "db.organization.first_of_everyone_for_update",
        level = "debug",
        skip_all
    )]
    async fn first_of_everyone_for_update(&mut self) -> Result<Option<Organization>, StoreError> {
        // There is no row yet that could be locked; SQLite has only one writer anyway.
        if self.db.get_database_backend() == DbBackend::Postgres {
            self.db.execute_unprepared(FIRST_LOCK).await.map_err(store_error)?;
        }
        self.first_of_everyone().await
    }

    #[tracing::instrument(name = "db.organization.find", level = "debug", skip(self))]
    async fn find(&mut self, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
        self.find_row(organizations::Entity::find_by_id(id.to_uuid())).await
    }

    #[tracing::instrument(name = "db.organization.find_for_update", level = "debug", skip(self))]
    async fn find_for_update(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, StoreError> {
        self.find_row(organizations::Entity::find_by_id(id.to_uuid()).lock_for_update()).await
    }

    #[tracing::instrument(name = "db.organization.insert", level = "debug", skip_all, fields(id = %organization.id))]
    async fn insert(&mut self, organization: &Organization) -> Result<(), StoreError> {
        self.insert_row(organizations::Model::from(organization)).await
    }

    #[tracing::instrument(name = "db.organization.update", level = "debug", skip_all, fields(id = %organization.id))]
    async fn update(&mut self, organization: &Organization) -> Result<(), StoreError> {
        let mut row = organizations::Model::from(organization).into_active_model().reset_all();
        // Counted by the one below.
        row.last_build_number = NotSet;
        let update = organizations::Entity::update(row);
        update.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.organization.next_build_number", level = "debug", skip(self))]
    async fn next_build_number(&mut self, id: OrganizationId) -> Result<u64, StoreError> {
        use organizations::{Column, Entity};

        // The update locks the row, so that nobody else gets the number read after it.
        let counted = Entity::update_many()
            .col_expr(Column::LastBuildNumber, Expr::col(Column::LastBuildNumber).add(1))
            .filter(Column::Id.eq(id.to_uuid()))
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        if counted.rows_affected == 0 {
            return Err(store_error(DbErr::RecordNotUpdated));
        }
        let query = Entity::find_by_id(id.to_uuid()).select_only().column(Column::LastBuildNumber);
        let number: Option<i64> = query.into_tuple().one(&self.db).await.map_err(store_error)?;
        from_stored(number.unwrap_or_default(), "organizations", "last_build_number")
    }

    #[tracing::instrument(name = "db.user.find", level = "debug", skip(self))]
    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.find_row(users::Entity::find_by_id(id.to_uuid())).await
    }

    #[tracing::instrument(name = "db.user.insert", level = "debug", skip_all, fields(id = %user.id))]
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(users::Model::from(user)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken(ADDRESS)) }
    }

    #[tracing::instrument(name = "db.membership.role_of", level = "debug", skip(self))]
    async fn role_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Role>, StoreError> {
        let query = memberships::Entity::find_by_id((organization.to_uuid(), user.to_uuid()));
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.map(|row| row.role.parse().map_err(corrupt("memberships"))).transpose()
    }

    #[tracing::instrument(name = "db.membership.list_of_user", level = "debug", skip(self))]
    async fn memberships_of(&mut self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        use memberships::{Column, Entity};

        let query = Entity::find()
            .filter(Column::UserId.eq(user.to_uuid()))
            .order_by_asc(Column::OrganizationId);
        self.list_rows(query).await
    }

    #[tracing::instrument(name = "db.membership.first_owner", level = "debug", skip(self))]
    async fn first_owner(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<UserId>, StoreError> {
        use memberships::{Column, Entity};

        let query = Entity::find()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(Column::Role.eq(Role::Owner.name()))
            .order_by_asc(Column::UserId);
        let row = query.one(&self.db).await.map_err(store_error)?;
        Ok(row.map(|row| UserId::from_uuid(row.user_id)))
    }

    #[tracing::instrument(name = "db.membership.insert", level = "debug", skip_all)]
    async fn insert_membership(&mut self, membership: &Membership) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(memberships::Model::from(membership)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("membership")) }
    }
}

pub(super) mod organizations {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "organizations")]
    pub(in crate::repo) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::repo) id: Uuid,
        pub(in crate::repo) name: String,
        pub(in crate::repo) plan: Option<String>,
        pub(in crate::repo) last_build_number: i64,
        pub(in crate::repo) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub(in crate::repo) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::repo) id: Uuid,
        pub(in crate::repo) name: String,
        pub(in crate::repo) email: Option<String>,
        pub(in crate::repo) created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod memberships {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "memberships")]
    pub(in crate::repo) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::repo) organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(in crate::repo) user_id: Uuid,
        pub(in crate::repo) role: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&Organization> for organizations::Model {
    fn from(organization: &Organization) -> Self {
        let Organization { id, name, plan, created_at } = organization;
        Self {
            id: id.to_uuid(),
            name: name.to_string(),
            plan: plan.as_ref().map(ToString::to_string),
            last_build_number: 0,
            created_at: *created_at,
        }
    }
}

impl TryFrom<organizations::Model> for Organization {
    type Error = StoreError;

    fn try_from(row: organizations::Model) -> Result<Self, Self::Error> {
        let organizations::Model { id, name, plan, last_build_number: _, created_at } = row;
        Ok(Self {
            id: OrganizationId::from_uuid(id),
            name: name.parse().map_err(corrupt("organizations"))?,
            plan: plan.map(|plan| plan.parse()).transpose().map_err(corrupt("organizations"))?,
            created_at,
        })
    }
}

impl From<&User> for users::Model {
    fn from(user: &User) -> Self {
        let User { id, name, email, created_at } = user;
        Self {
            id: id.to_uuid(),
            name: name.to_string(),
            email: email.as_ref().map(ToString::to_string),
            created_at: *created_at,
        }
    }
}

impl TryFrom<users::Model> for User {
    type Error = StoreError;

    fn try_from(row: users::Model) -> Result<Self, Self::Error> {
        let users::Model { id, name, email, created_at } = row;
        Ok(Self {
            id: UserId::from_uuid(id),
            name: name.parse().map_err(corrupt("users"))?,
            email: email.map(|email| email.parse()).transpose().map_err(corrupt("users"))?,
            created_at,
        })
    }
}

impl From<&Membership> for memberships::Model {
    fn from(membership: &Membership) -> Self {
        let Membership { organization_id, user_id, role } = membership;
        Self {
            organization_id: organization_id.to_uuid(),
            user_id: user_id.to_uuid(),
            role: role.name().to_owned(),
        }
    }
}

impl TryFrom<memberships::Model> for Membership {
    type Error = StoreError;

    fn try_from(row: memberships::Model) -> Result<Self, Self::Error> {
        let memberships::Model { organization_id, user_id, role } = row;
        Ok(Self {
            organization_id: OrganizationId::from_uuid(organization_id),
            user_id: UserId::from_uuid(user_id),
            role: role.parse().map_err(corrupt("memberships"))?,
        })
    }
}
