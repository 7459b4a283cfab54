//! Repository of who belongs to an organization.

use async_trait::async_trait;
use windlass_auth::{Member, Membership, Role};
use windlass_domain::{Organization, OrganizationId, Page, PageRequest, UserId};

use crate::StoreError;

/// Stores who belongs to an organization.
///
/// Whoever changes that holds the organization first: see
/// [`OrganizationRepo::find_for_update`](crate::OrganizationRepo::find_for_update).
#[async_trait]
pub trait MemberRepo: Send {
    /// Finds a member.
    async fn find(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Member>, StoreError>;

    /// Lists members, those who were added to the server last first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<UserId>,
    ) -> Result<Page<Member>, StoreError>;

    /// Lists where a person belongs and as what, the newest organization first.
    async fn list_organizations(
        &mut self,
        user: UserId,
        page: PageRequest<OrganizationId>,
    ) -> Result<Page<(Organization, Role)>, StoreError>;

    /// What a person is, who stays a member until this unit of work has ended: whoever would
    /// remove them waits.
    async fn role_until_commit(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Role>, StoreError>;

    /// How many owners there are.
    async fn count_owners(&mut self, organization: OrganizationId) -> Result<u64, StoreError>;

    /// Gives a member another role.
    async fn set_role(&mut self, membership: &Membership) -> Result<(), StoreError>;

    /// Makes somebody a member no more.
    async fn remove(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<(), StoreError>;
}
