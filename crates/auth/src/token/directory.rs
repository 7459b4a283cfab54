//! Where what is stored about tokens comes from.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::parsed::ParsedToken;
use crate::{Credential, DirectoryError, Principal, Role, TokenId, TokenRecord};

/// Finds what is stored about tokens; implemented on top of whatever stores it.
#[async_trait]
pub trait TokenDirectory: Send + Sync {
    /// Finds the record of a token, whoever's it is, revoked and expired ones included.
    /// `revocation_ids` are those of all blocks of the token that is presented, the first block's
    /// first.
    ///
    /// Must see every change that was complete before the call.
    async fn find_token(
        &self,
        id: TokenId,
        revocation_ids: &[String],
    ) -> Result<Option<TokenEntry>, DirectoryError>;
}

/// What is stored about a token, and what its creator is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEntry {
    /// The token that is presented, or of which it was made by narrowing.
    pub record: TokenRecord,
    /// The creator's role in the token's organization; none for somebody who has left it, whose
    /// tokens are refused.
    pub creator_role: Option<Role>,
    /// Whether one of the revocation identifiers has been revoked, or the credential with which a
    /// link was made.
    pub is_revoked: bool,
}

impl TokenEntry {
    /// The caller that a token stands for, but for its checks; nobody when it has been revoked or
    /// has expired, has lost its creator, or is another than the one that was stored.
    pub(super) fn into_principal(
        self,
        token: &ParsedToken,
        now: DateTime<Utc>,
    ) -> Option<Principal> {
        let Self { record, creator_role, is_revoked } = self;
        let role = creator_role?;
        let expires_at = token.expires_at.map_or(record.expires_at, |at| at.min(record.expires_at));
        let is_the_same = record.id == token.id
            && record.organization_id == token.organization_id
            && record.created_by == token.user_id
            && token.revocation_ids.first() == Some(&record.revocation_id);
        if is_revoked || record.revoked_at.is_some() || expires_at <= now || !is_the_same {
            return None;
        }
        Some(Principal {
            organization_id: record.organization_id,
            user_id: record.created_by,
            role,
            permissions: token.rights.intersection(role.permissions()),
            projects: token.projects.clone(),
            restriction: None,
            credential: Credential::Token {
                id: record.id,
                label: record.label,
                expires_at,
                is_link: token.is_link,
            },
        })
    }
}
