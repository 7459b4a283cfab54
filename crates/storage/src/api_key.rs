//! Repository of API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{ApiKeyId, ApiKeyRecord};
use windlass_domain::{OrganizationId, Page, PageRequest};

use crate::StoreError;

/// Stores API keys.
#[async_trait]
pub trait ApiKeyRepo: Send {
    /// Finds the row that a presented key names, whoever's it is: it tells who is calling.
    async fn find_by_lookup_of_everyone(
        &mut self,
        lookup: &str,
    ) -> Result<Option<ApiKeyRecord>, StoreError>;

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

    /// Notes when keys were last used; an earlier time than the stored one changes nothing.
    async fn note_used(&mut self, uses: &[(ApiKeyId, DateTime<Utc>)]) -> Result<(), StoreError>;
}
