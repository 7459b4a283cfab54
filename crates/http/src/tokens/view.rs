//! Tokens as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_auth::{TokenPurpose, TokenRecord};

/// A token, without the token itself: that is with whoever has created it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    #[schema(example = "tok_01kdvdna000000000000000009")]
    id: String,
    /// What it is for.
    #[schema(example = "status page")]
    label: String,
    kind: TokenKind,
    /// What it is revoked by, in every implementation of Biscuit: the revocation identifier of its
    /// first block.
    #[schema(example = "60278acd0f5bdf4d…")]
    revocation_id: String,
    /// Whose token it is: it never has more rights than this person.
    #[schema(example = "usr_01kdvdna000000000000000001")]
    created_by: String,
    created_at: DateTime<Utc>,
    /// When it stops working by itself.
    expires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
    status: TokenStatus,
}

/// How a token is used.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenKind {
    /// It is presented as a credential.
    Token,
    /// It is a person's own, from `windlass login`.
    Login,
    /// It is part of one link, and opens nothing elsewhere.
    Link,
}

/// Whether a token opens anything.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenStatus {
    Active,
    Expired,
    Revoked,
}

/// A token that has just been created.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedToken)]
pub(crate) struct CreatedTokenView {
    #[serde(flatten)]
    pub(crate) record: TokenView,
    /// The token itself. It is shown this once and cannot be had again.
    #[schema(
        example = "EpABCiYKB2FjY291bnQYAyIJCgcIgAgSAhABMg4KDAoCCBsSBggDEgIYABIkCAASIFeRyO2t1bxV"
    )]
    pub(crate) token: String,
}

impl TokenView {
    pub(crate) fn new(record: TokenRecord, now: DateTime<Utc>) -> Self {
        let TokenRecord {
            id,
            organization_id: _,
            label,
            purpose,
            revocation_id,
            created_by,
            created_at,
            expires_at,
            revoked_at,
        } = record;
        let status = if revoked_at.is_some() {
            TokenStatus::Revoked
        } else if expires_at <= now {
            TokenStatus::Expired
        } else {
            TokenStatus::Active
        };
        let kind = match purpose {
            TokenPurpose::Delegation => TokenKind::Token,
            TokenPurpose::Login => TokenKind::Login,
            TokenPurpose::Link { .. } => TokenKind::Link,
        };
        Self {
            id: id.to_string(),
            label: label.to_string(),
            kind,
            revocation_id,
            created_by: created_by.to_string(),
            created_at,
            expires_at,
            revoked_at,
            status,
        }
    }
}
