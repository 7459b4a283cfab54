//! Invitations: the way into an organization for one addressee.

use chrono::{DateTime, TimeDelta, Utc};
use windlass_domain::{Effects, EmailAddress, Id, IdKind, OrganizationId, UserId};

use crate::{OneTimeHash, OneTimeSecret, Role};

/// An invitation as it is stored: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Identifier, for people and lists.
    pub id: InvitationId,
    /// Where it leads.
    pub organization_id: OrganizationId,
    /// For whom it is, and for nobody else.
    pub email: EmailAddress,
    /// What they are going to be.
    pub role: Role,
    /// By what it is found when its secret is presented.
    pub secret: OneTimeHash,
    /// Who answers for it: it is worth nothing once they may not let anybody in as that any more.
    pub invited_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working by itself: at this instant it is refused already.
    pub expires_at: DateTime<Utc>,
    /// What has become of it.
    pub state: InvitationState,
}

/// Identifier of an invitation.
pub type InvitationId = Id<InvitationRecord>;

impl IdKind for InvitationRecord {
    const PREFIX: &'static str = "inv";
}

/// What has become of an invitation. Nothing leads back to the first state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It waits for its addressee.
    Pending,
    /// Its addressee has come.
    Accepted {
        /// Who that was.
        by: UserId,
        /// When.
        at: DateTime<Utc>,
    },
    /// It was taken back, or another took its place.
    Revoked {
        /// When.
        at: DateTime<Utc>,
    },
}

/// An invitation to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// For whom.
    pub email: EmailAddress,
    /// As what.
    pub role: Role,
    /// For how long.
    pub life: TimeDelta,
}

/// A new invitation: the record is to be stored, the secret to be shown once.
#[derive(Debug)]
pub struct MintedInvitation {
    /// What is stored.
    pub record: InvitationRecord,
    /// What its addressee has to present.
    pub secret: OneTimeSecret,
}

impl NewInvitation {
    /// How long an invitation lasts of which nothing is said.
    pub const LIFE: TimeDelta = TimeDelta::days(7);
    /// How long one can last.
    pub const MAX_LIFE: TimeDelta = TimeDelta::days(90);

    /// Makes it. Whether whoever invites may do so is for the caller to
    /// [decide](crate::check_admission) before.
    #[must_use]
    pub fn mint(
        self,
        organization_id: OrganizationId,
        invited_by: UserId,
        fx: Effects<'_>,
    ) -> MintedInvitation {
        let Self { email, role, life } = self;
        let created_at = fx.clock.now();
        let secret = OneTimeSecret::for_invitation(fx.entropy);
        let record = InvitationRecord {
            id: Id::generate(fx),
            organization_id,
            email,
            role,
            secret: secret.hash(),
            invited_by,
            created_at,
            expires_at: created_at + life.min(Self::MAX_LIFE),
            state: InvitationState::Pending,
        };
        MintedInvitation { record, secret }
    }
}

impl InvitationRecord {
    /// Whether its addressee can still come.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.state == InvitationState::Pending && now < self.expires_at
    }
}
