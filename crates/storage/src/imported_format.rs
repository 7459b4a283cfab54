//! Repository of what API keys look like that were made elsewhere.

use async_trait::async_trait;
use windlass_auth::ImportedFormat;

use crate::StoreError;

/// Stores how imported API keys look, one format for each prefix. They belong to no tenant: who
/// presents a key is not known yet.
#[async_trait]
pub trait ImportedFormatRepo: Send {
    /// All of them, by prefix.
    async fn list_of_everyone(&mut self) -> Result<Vec<ImportedFormat>, StoreError>;

    /// The same for a unit of work that is about to import keys: of two at once the second waits
    /// until the first has ended.
    async fn list_of_everyone_for_update(&mut self) -> Result<Vec<ImportedFormat>, StoreError>;

    /// Adds a format, or replaces that of the same prefix.
    async fn put(&mut self, format: &ImportedFormat) -> Result<(), StoreError>;
}
