//! Repository of the codes with which programs get their tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{LoginCodeRecord, OneTimeHash};
use windlass_domain::UserId;

use crate::StoreError;

/// Stores codes until they are presented, for a minute or so. They belong to a person, who may
/// belong to several tenants.
#[async_trait]
pub trait LoginCodeRepo: Send {
    /// Adds a code.
    async fn insert(&mut self, code: &LoginCodeRecord) -> Result<(), StoreError>;

    /// Finds the code that is presented, expired or not: it tells whose token is wanted.
    async fn find_of_everyone(
        &mut self,
        code: &OneTimeHash,
    ) -> Result<Option<LoginCodeRecord>, StoreError>;

    /// The same for whoever uses it up: of two at once, one gets it.
    async fn take_of_everyone(
        &mut self,
        code: &OneTimeHash,
    ) -> Result<Option<LoginCodeRecord>, StoreError>;

    /// Removes a person's codes.
    async fn remove_all_of(&mut self, user: UserId) -> Result<(), StoreError>;

    /// Removes codes that have expired by now.
    async fn prune_of_everyone(&mut self, now: DateTime<Utc>) -> Result<(), StoreError>;
}
