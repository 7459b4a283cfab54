//! Repository of the keys that sign tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::SealedValue;

use crate::StoreError;

/// A key that signs tokens, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRootKey {
    /// Its number; the key with the highest one signs.
    pub number: u32,
    /// The key itself.
    pub sealed: SealedValue,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Stores the keys that sign tokens: all servers on one database share them.
#[async_trait]
pub trait RootKeyRepo: Send {
    /// Lists the keys by number.
    async fn list(&mut self) -> Result<Vec<StoredRootKey>, StoreError>;

    /// Adds a key. Fails with [`StoreError::Taken`] when its number is in use.
    async fn insert(&mut self, key: &StoredRootKey) -> Result<(), StoreError>;

    /// Removes the keys with lower numbers than this.
    async fn delete_before(&mut self, number: u32) -> Result<(), StoreError>;
}
