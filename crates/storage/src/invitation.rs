//! Repository of invitations.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{InvitationId, InvitationRecord, OneTimeHash};
use windlass_domain::{EmailAddress, OrganizationId, Page, PageRequest, UserId};

use crate::StoreError;

/// Stores invitations.
///
/// Whoever changes one holds its organization first: see
/// [`OrganizationRepo::find_for_update`](crate::OrganizationRepo::find_for_update).
#[async_trait]
pub trait InvitationRepo: Send {
    /// Finds an invitation.
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<Option<InvitationRecord>, StoreError>;

    /// Finds the invitation whose secret is presented, wherever it leads: it tells to which
    /// organization somebody comes.
    async fn find_by_secret_of_everyone(
        &mut self,
        secret: &OneTimeHash,
    ) -> Result<Option<InvitationRecord>, StoreError>;

    /// Finds the one that waits for an addressee, expired or not; there is never a second.
    async fn find_pending(
        &mut self,
        organization: OrganizationId,
        email: &EmailAddress,
    ) -> Result<Option<InvitationRecord>, StoreError>;

    /// Lists invitations, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<InvitationId>,
    ) -> Result<Page<InvitationRecord>, StoreError>;

    /// Adds an invitation. Fails with [`StoreError::Taken`] where one waits for the same addressee.
    async fn insert(&mut self, invitation: &InvitationRecord) -> Result<(), StoreError>;

    /// Replaces a stored invitation.
    async fn update(&mut self, invitation: &InvitationRecord) -> Result<(), StoreError>;

    /// Revokes those that wait and that a person has made in an organization, and one that waits
    /// for the person under this address.
    async fn revoke_all_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        email: Option<&EmailAddress>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
}
