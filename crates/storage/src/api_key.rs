//! Repository of API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{ApiKeyId, ApiKeyRecord, Rehash};
use windlass_domain::{OrganizationId, Page, PageRequest, UserId};

use crate::StoreError;

/// Stores API keys.
#[async_trait]
pub trait ApiKeyRepo: Send {
    /// Finds the row that a presented key names, whoever's it is: it tells who is calling.
    async fn find_by_lookup_of_everyone(
        &mut self,
        lookup: &str,
    ) -> Result<Option<ApiKeyRecord>, StoreError>;

    /// Finds the imported keys that begin with these characters, whoever's they are: those that a
    /// presented text may be. Oldest first, at most
    /// [`MOST_ALIKE`](windlass_auth::ImportedFormat::MOST_ALIKE).
    async fn find_by_imported_start_of_everyone(
        &mut self,
        start: &str,
    ) -> Result<Vec<ApiKeyRecord>, StoreError>;

    /// Finds a key.
    async fn find(
        &mut self,
        organization: OrganizationId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyRecord>, StoreError>;

    /// Finds a key that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKeyRecord>, StoreError>;

    /// Lists keys, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<ApiKeyId>,
    ) -> Result<Page<ApiKeyRecord>, StoreError>;

    /// Adds a key. Fails with [`StoreError::Taken`] when its look-up text is in use.
    async fn insert(&mut self, key: &ApiKeyRecord) -> Result<(), StoreError>;

    /// Replaces a stored key, but for `last_used_at`.
    async fn update(&mut self, key: &ApiKeyRecord) -> Result<(), StoreError>;

    /// Revokes whatever a person has made in an organization and is not revoked yet; tells how many
    /// keys that were.
    async fn revoke_all_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// Replaces a key's hash by another of the same key; `false` where another one than the old is
    /// stored, or the key has been revoked.
    async fn replace_hash(&mut self, rehash: &Rehash) -> Result<bool, StoreError>;

    /// Notes when keys were last used; an earlier time than the stored one changes nothing.
    async fn note_used(&mut self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError>;
}
