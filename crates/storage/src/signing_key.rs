//! Repository of the keys that sign what the server hands out.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_domain::SealedValue;

use crate::StoreError;

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningPurpose {
    /// Tokens.
    Tokens,
    /// Browser sessions.
    Sessions,
}

impl SigningPurpose {
    /// Its name in the database and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Sessions => "sessions",
        }
    }
}

/// A key that signs, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// Its number; the key with the highest one signs.
    pub number: u32,
    /// The key itself.
    pub sealed: SealedValue,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Stores the keys that sign: all servers on one database share them.
#[async_trait]
pub trait SigningKeyRepo: Send {
    /// Lists the keys for a purpose by number.
    async fn list(&mut self, purpose: SigningPurpose) -> Result<Vec<StoredSigningKey>, StoreError>;

    /// Adds a key. Fails with [`StoreError::Taken`] when its number is in use.
    async fn insert(
        &mut self,
        purpose: SigningPurpose,
        key: &StoredSigningKey,
    ) -> Result<(), StoreError>;

    /// Removes the keys with lower numbers than this.
    async fn delete_before(
        &mut self,
        purpose: SigningPurpose,
        number: u32,
    ) -> Result<(), StoreError>;
}
