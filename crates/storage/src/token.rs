//! Repository of tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass_auth::{TokenId, TokenRecord};
use windlass_domain::{OrganizationId, Page, PageRequest, UserId};

use crate::StoreError;

/// Stores what is known of tokens, and which of their blocks have been revoked.
#[async_trait]
pub trait TokenRepo: Send {
    /// Finds the record of a presented token, whoever's it is: it tells who is calling.
    async fn find_of_everyone(&mut self, id: TokenId) -> Result<Option<TokenRecord>, StoreError>;

    /// Finds a token that this unit of work is about to change; others wait until it ends.
    async fn find_for_update(
        &mut self,
        organization: OrganizationId,
        id: TokenId,
    ) -> Result<Option<TokenRecord>, StoreError>;

    /// Lists tokens, newest first.
    async fn list(
        &mut self,
        organization: OrganizationId,
        page: PageRequest<TokenId>,
    ) -> Result<Page<TokenRecord>, StoreError>;

    /// Adds a token.
    async fn insert(&mut self, token: &TokenRecord) -> Result<(), StoreError>;

    /// Replaces a stored token.
    async fn update(&mut self, token: &TokenRecord) -> Result<(), StoreError>;

    /// Revokes whatever a person has made in an organization and has neither ended nor been revoked
    /// yet, links among it; tells how many tokens that were.
    async fn revoke_all_of(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// Notes that a block of a token has been revoked; once is enough.
    async fn revoke_block(
        &mut self,
        token: TokenId,
        revocation_id: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Whether any of these blocks of a token has been revoked.
    async fn has_revoked_block(
        &mut self,
        token: TokenId,
        revocation_ids: &[String],
    ) -> Result<bool, StoreError>;

    /// Removes links that ended before a time.
    async fn prune_links(&mut self, ended_before: DateTime<Utc>) -> Result<(), StoreError>;
}
