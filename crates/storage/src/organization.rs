//! Repository of tenants and people.

use async_trait::async_trait;
use windlass_auth::{Membership, Role};
use windlass_domain::{Organization, OrganizationId, User, UserId};

use crate::StoreError;

/// Stores tenants, people and who belongs where.
#[async_trait]
pub trait OrganizationRepo: Send {
    /// The tenant that was created first, if there is any: a new database has none.
    async fn first_of_everyone(&mut self) -> Result<Option<Organization>, StoreError>;

    /// The same for a unit of work that is about to create the first one: of two at once the
    /// second waits until the first has ended.
    async fn first_of_everyone_for_update(&mut self) -> Result<Option<Organization>, StoreError>;

    /// Finds a tenant.
    async fn find(&mut self, id: OrganizationId) -> Result<Option<Organization>, StoreError>;

    /// Finds a tenant that this unit of work is about to change, or that is about to have other
    /// members; others wait until it ends.
    async fn find_for_update(
        &mut self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, StoreError>;

    /// Adds a tenant.
    async fn insert(&mut self, organization: &Organization) -> Result<(), StoreError>;

    /// Replaces what people say of a tenant.
    async fn update(&mut self, organization: &Organization) -> Result<(), StoreError>;

    /// Takes the organization's next build number, from 1; a number is never given twice.
    async fn next_build_number(&mut self, id: OrganizationId) -> Result<u64, StoreError>;

    /// Finds a person.
    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Adds a person. Fails with [`StoreError::Taken`] when the e-mail address is somebody's.
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// What a person is in an organization, if anything.
    async fn role_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Role>, StoreError>;

    /// All places that a person has, the organization that was created first first.
    async fn memberships_of(&mut self, user: UserId) -> Result<Vec<Membership>, StoreError>;

    /// The owner who was added first, if there is any.
    async fn first_owner(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<UserId>, StoreError>;

    /// Makes a person a member. Fails with [`StoreError::Taken`] for one who is.
    async fn insert_membership(&mut self, membership: &Membership) -> Result<(), StoreError>;
}
