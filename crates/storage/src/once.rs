//! Repository of requests that are carried out once, however often they are sent.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::{OrganizationId, SealedValue, UserId};

use crate::StoreError;

/// By what a request is known again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OnceKey {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Who sends it.
    pub user_id: UserId,
    /// What it asks for.
    pub operation: String,
    /// How whoever sends it calls it.
    pub key: String,
}

/// A request that is carried out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceRecord {
    /// By what it is known again.
    pub key: OnceKey,
    /// A digest of all that it says: another request of the same key is a mistake.
    pub fingerprint: String,
    /// Which attempt to carry it out this is, from 1.
    pub attempt: u32,
    /// Until when nobody else makes another attempt.
    pub leased_until: DateTime<Utc>,
    /// What it came to, once it is done.
    pub answer: Option<SealedValue>,
    /// When it was first sent.
    pub created_at: DateTime<Utc>,
}

/// Stores requests that are carried out once.
#[async_trait]
pub trait OnceRepo: Send {
    /// Finds a request that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(&mut self, key: &OnceKey) -> Result<Option<OnceRecord>, StoreError>;

    /// Adds a request. Fails with [`StoreError::Taken`] where it is there already; one that is
    /// about to be is waited for.
    async fn insert(&mut self, record: &OnceRecord) -> Result<(), StoreError>;

    /// Replaces a stored request.
    async fn update(&mut self, record: &OnceRecord) -> Result<(), StoreError>;

    /// Removes a request, as if it had never been sent.
    async fn delete(&mut self, key: &OnceKey) -> Result<(), StoreError>;

    /// Removes those that were first sent before a time.
    async fn prune_of_everyone(&mut self, sent_before: DateTime<Utc>) -> Result<(), StoreError>;
}
