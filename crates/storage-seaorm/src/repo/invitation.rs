//! Invitations in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select, sea_query::Expr};
use windlass_auth::{InvitationId, InvitationRecord, InvitationState, OneTimeHash};
use windlass_domain::{EmailAddress, OrganizationId, Page, PageRequest, UserId};
use windlass_storage::{InvitationRepo, StoreError};

use self::row::{Column, Entity, Hash, Model};
use super::{Repo, required};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "invitations";

#[async_trait]
impl InvitationRepo for Repo<'_> {
    #[tracing::instrument(name = "db.invitation.find", level = "debug", skip(self))]
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<Option<InvitationRecord>, StoreError> {
        self.find_row(in_organization(organization).filter(Column::Id.eq(id.to_uuid()))).await
    }

    #[tracing::instrument(name = "db.invitation.find_by_secret", level = "debug", skip_all)]
    async fn find_by_secret_of_everyone(
        &mut self,
        secret: &OneTimeHash,
    ) -> Result<Option<InvitationRecord>, StoreError> {
        self.find_row(Entity::find().filter(Column::SecretHash.eq(secret.as_str()))).await
    }

    #[tracing::instrument(name = "db.invitation.find_pending", level = "debug", skip(self))]
    async fn find_pending(
        &mut self,
        organization: OrganizationId,
        email: &EmailAddress,
    ) -> Result<Option<InvitationRecord>, StoreError> {
        let pending = in_organization(organization).filter(is_pending());
        self.find_row(pending.filter(Column::Email.eq(email.as_str()))).await
    }

    #[tracing::instrument(name = "db.invitation.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<InvitationId>,
    ) -> Result<Page<InvitationRecord>, StoreError> {
        self.list_page(in_organization(organization), Column::Id, page).await
    }

    #[tracing::instrument(name = "db.invitation.insert", level = "debug", skip_all, fields(id = %invitation.id))]
    async fn insert(&mut self, invitation: &InvitationRecord) -> Result<(), StoreError> {
        let is_new = self.try_insert_row(Model::from(invitation)).await?;
        if is_new { Ok(()) } else { Err(StoreError::Taken("invitation")) }
    }

    #[tracing::instrument(name = "db.invitation.update", level = "debug", skip_all, fields(id = %invitation.id))]
    async fn update(&mut self, invitation: &InvitationRecord) -> Result<(), StoreError> {
        self.update_row(Model::from(invitation)).await
    }

    #[tracing::instrument(name = "db.invitation.revoke_all_of", level = "debug", skip(self))]
    async fn revoke_all_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        email: Option<&EmailAddress>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut theirs = Condition::any().add(Column::InvitedBy.eq(user.to_uuid()));
        if let Some(email) = email {
            theirs = theirs.add(Column::Email.eq(email.as_str()));
        }
        Entity::update_many()
            .col_expr(Column::State, Expr::value(REVOKED))
            .col_expr(Column::EndedAt, Expr::value(at))
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(is_pending())
            .filter(theirs)
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

const PENDING: &str = "pending";
const ACCEPTED: &str = "accepted";
const REVOKED: &str = "revoked";

fn in_organization(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(organization.to_uuid()))
}

/// Written out, as in the index that serves it.
fn is_pending() -> Condition {
    Condition::all().add(Expr::cust("state = 'pending'"))
}

mod row {
    use std::fmt;

    use sea_orm::entity::prelude::*;

    /// Nobody has a use for it in a log.
    #[derive(Clone, PartialEq, Eq, DeriveValueType)]
    pub(super) struct Hash(pub(super) String);

    impl fmt::Debug for Hash {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Hash")
        }
    }

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "invitations")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) email: String,
        pub(super) role: String,
        pub(super) secret_hash: Hash,
        pub(super) invited_by: Uuid,
        pub(super) created_at: DateTimeUtc,
        pub(super) expires_at: DateTimeUtc,
        pub(super) state: String,
        pub(super) ended_at: Option<DateTimeUtc>,
        pub(super) accepted_by: Option<Uuid>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl From<&InvitationRecord> for Model {
    fn from(invitation: &InvitationRecord) -> Self {
        let InvitationRecord {
            id,
            organization_id,
            email,
            role,
            secret,
            invited_by,
            created_at,
            expires_at,
            state,
        } = invitation;
        let (state, ended_at, accepted_by) = match state {
            InvitationState::Pending => (PENDING, None, None),
            InvitationState::Accepted { by, at } => (ACCEPTED, Some(*at), Some(by.to_uuid())),
            InvitationState::Revoked { at } => (REVOKED, Some(*at), None),
        };
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            email: email.to_string(),
            role: role.name().to_owned(),
            secret_hash: Hash(secret.as_str().to_owned()),
            invited_by: invited_by.to_uuid(),
            created_at: *created_at,
            expires_at: *expires_at,
            state: state.to_owned(),
            ended_at,
            accepted_by,
        }
    }
}

impl TryFrom<Model> for InvitationRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            email,
            role,
            secret_hash,
            invited_by,
            created_at,
            expires_at,
            state,
            ended_at,
            accepted_by,
        } = row;
        let state = match state.as_str() {
            PENDING => InvitationState::Pending,
            ACCEPTED => InvitationState::Accepted {
                by: UserId::from_uuid(required(accepted_by, TABLE, "accepted_by")?),
                at: required(ended_at, TABLE, "ended_at")?,
            },
            REVOKED => InvitationState::Revoked { at: required(ended_at, TABLE, "ended_at")? },
            _ => return Err(corrupt(TABLE)(BadColumn("state"))),
        };
        Ok(Self {
            id: InvitationId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            email: email.parse().map_err(corrupt(TABLE))?,
            role: role.parse().map_err(corrupt(TABLE))?,
            secret: OneTimeHash::from_stored(secret_hash.0),
            invited_by: UserId::from_uuid(invited_by),
            created_at,
            expires_at,
            state,
        })
    }
}
