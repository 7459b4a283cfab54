//! Invitations as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_auth::{InvitationRecord, InvitationState, MintedInvitation};

use crate::members::RoleView;

/// An invitation, without its secret: that is with whoever has made it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    #[schema(example = "inv_01kdvdna00000000000000000a")]
    id: String,
    /// For whom it is, and for nobody else.
    #[schema(example = "grace@example.com")]
    email: String,
    role: RoleView,
    /// Who answers for it: it is worth nothing once they may not let anybody in as that any more.
    #[schema(example = "usr_01kdvdna000000000000000001")]
    invited_by: String,
    created_at: DateTime<Utc>,
    /// When it stops working by itself.
    expires_at: DateTime<Utc>,
    status: InvitationStatus,
}

/// Whether an invitation is still worth something.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvitationStatus {
    Pending,
    Accepted,
    Revoked,
    Expired,
}

/// An invitation that has just been made.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedInvitation)]
pub(crate) struct CreatedInvitationView {
    #[serde(flatten)]
    record: InvitationView,
    /// What its addressee has to present. It is shown this once and cannot be had again.
    #[schema(example = "wli_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI2BuBej")]
    token: String,
    /// The page where its addressee sees and accepts it. The token is in it.
    #[schema(
        example = "https://windlass.example.com/invitation?token=wli_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI2BuBej"
    )]
    url: String,
}

impl CreatedInvitationView {
    pub(super) fn new(minted: MintedInvitation, base: &str, now: DateTime<Utc>) -> Self {
        let MintedInvitation { record, secret } = minted;
        let token = secret.expose().to_owned();
        let url = format!("{base}/invitation?token={token}");
        Self { record: InvitationView::new(record, now), token, url }
    }
}

impl InvitationView {
    pub(super) fn new(record: InvitationRecord, now: DateTime<Utc>) -> Self {
        let InvitationRecord {
            id,
            organization_id: _,
            email,
            role,
            secret: _,
            invited_by,
            created_at,
            expires_at,
            state,
        } = record;
        let status = match state {
            InvitationState::Accepted { .. } => InvitationStatus::Accepted,
            InvitationState::Revoked { .. } => InvitationStatus::Revoked,
            InvitationState::Pending if expires_at <= now => InvitationStatus::Expired,
            InvitationState::Pending => InvitationStatus::Pending,
        };
        Self {
            id: id.to_string(),
            email: email.to_string(),
            role: role.into(),
            invited_by: invited_by.to_string(),
            created_at,
            expires_at,
            status,
        }
    }
}
