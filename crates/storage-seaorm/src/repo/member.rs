//! Who belongs to an organization, in SQL.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, Select,
    sea_query::{Expr, LockType},
};
use windlass_auth::{Member, Membership, Role};
use windlass_domain::{Organization, OrganizationId, Page, PageRequest, User, UserId};
use windlass_storage::{MemberRepo, StoreError};

use super::{
    Repo,
    organization::{
        memberships::{Column, Entity, Model},
        organizations, users,
    },
};
use crate::error::{corrupt, store_error};

const TABLE: &str = "memberships";

#[async_trait]
impl MemberRepo for Repo<'_> {
    #[tracing::instrument(name = "db.member.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Member>, StoreError> {
        let query = in_organization(organization).filter(Column::UserId.eq(user.to_uuid()));
        Ok(self.find_members(query).await?.pop())
    }

    #[tracing::instrument(name = "db.member.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<UserId>,
    ) -> Result<Page<Member>, StoreError> {
        let mut query =
            in_organization(organization).order_by_desc(Column::UserId).limit(page.fetch_limit());
        if let Some(cursor) = page.cursor {
            query = query.filter(Column::UserId.lt(cursor.to_uuid()));
        }
        Ok(page.page_of(self.find_members(query).await?))
    }

    #[tracing::instrument(name = "db.member.list_organizations", level = "debug", skip(self))]
    async fn list_organizations(
        &mut self,
        user: UserId,
        page: PageRequest<OrganizationId>,
    ) -> Result<Page<(Organization, Role)>, StoreError> {
        let mut query = Entity::find()
            .filter(Column::UserId.eq(user.to_uuid()))
            .order_by_desc(Column::OrganizationId)
            .limit(page.fetch_limit());
        if let Some(cursor) = page.cursor {
            query = query.filter(Column::OrganizationId.lt(cursor.to_uuid()));
        }
        let rows = query
            .join(JoinType::InnerJoin, to_organization())
            .select_two_required(organizations::Entity)
            .all(&self.db)
            .await
            .map_err(store_error)?;
        let organizations: Result<Vec<_>, StoreError> = rows
            .into_iter()
            .map(|(row, organization)| Ok((organization.try_into()?, role_in(&row)?)))
            .collect();
        Ok(page.page_of(organizations?))
    }

    #[tracing::instrument(name = "db.member.role_until_commit", level = "debug", skip(self))]
    async fn role_until_commit(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Role>, StoreError> {
        // The weakest lock that keeps the row where it is; SQLite has only one writer anyway.
        let query =
            Entity::find_by_id((organization.to_uuid(), user.to_uuid())).lock(LockType::KeyShare);
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.as_ref().map(role_in).transpose()
    }

    #[tracing::instrument(name = "db.member.count_owners", level = "debug", skip(self))]
    async fn count_owners(&mut self, organization: OrganizationId) -> Result<u64, StoreError> {
        let owners = in_organization(organization).filter(Column::Role.eq(Role::Owner.name()));
        owners.count(&self.db).await.map_err(store_error)
    }

    #[tracing::instrument(name = "db.member.set_role", level = "debug", skip_all)]
    async fn set_role(&mut self, membership: &Membership) -> Result<(), StoreError> {
        let Membership { organization_id, user_id, role } = membership;
        let update = Entity::update_many()
            .col_expr(Column::Role, Expr::value(role.name()))
            .filter(Column::OrganizationId.eq(organization_id.to_uuid()))
            .filter(Column::UserId.eq(user_id.to_uuid()));
        update.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.member.remove", level = "debug", skip(self))]
    async fn remove(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<(), StoreError> {
        let delete = Entity::delete_by_id((organization.to_uuid(), user.to_uuid()));
        delete.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

impl Repo<'_> {
    async fn find_members(&self, query: Select<Entity>) -> Result<Vec<Member>, StoreError> {
        let rows = query
            .join(JoinType::InnerJoin, to_user())
            .select_two_required(users::Entity)
            .all(&self.db)
            .await
            .map_err(store_error)?;
        rows.into_iter()
            .map(|(row, user)| Ok(Member { user: User::try_from(user)?, role: role_in(&row)? }))
            .collect()
    }
}

fn in_organization(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(organization.to_uuid()))
}

fn to_user() -> RelationDef {
    Entity::belongs_to(users::Entity).from(Column::UserId).to(users::Column::Id).into()
}

fn to_organization() -> RelationDef {
    Entity::belongs_to(organizations::Entity)
        .from(Column::OrganizationId)
        .to(organizations::Column::Id)
        .into()
}

fn role_in(row: &Model) -> Result<Role, StoreError> {
    row.role.parse().map_err(corrupt(TABLE))
}
