//! Invitations: the way into an organization for one addressee.

use std::fmt::{self, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use windlass_domain::{Effects, EmailAddress, Entropy, Id, IdKind, OrganizationId, UserId};

use crate::{Role, base62};

/// What a secret begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "wli_";
/// 256 bits in base 62.
const DIGITS: usize = 43;
/// 32 bits: tells a real one from a mistyped one, and to those who look for leaked secrets.
const CHECKSUM_DIGITS: usize = 6;

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
    pub secret: InvitationHash,
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
    pub secret: PlainInvitation,
}

/// The secret of an invitation. It is wiped when dropped, and only [`PlainInvitation::expose`]
/// shows it.
pub struct PlainInvitation(SecretString);

/// What is stored of an invitation's secret. With 256 bits of randomness in it, a fast hash is
/// enough: there is nothing to guess.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationHash(String);

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
        let secret = PlainInvitation::generate(fx.entropy);
        let record = InvitationRecord {
            id: Id::generate(fx),
            organization_id,
            email,
            role,
            secret: InvitationHash::of(secret.expose()),
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

impl PlainInvitation {
    fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 32];
        entropy.fill(&mut random);
        let digits = base62::encode::<DIGITS>(&random);
        let mut text = PREFIX.to_owned();
        text.extend(digits.map(char::from));
        let checksum = crc32fast::hash(text.as_bytes()).to_be_bytes();
        text.extend(base62::encode::<CHECKSUM_DIGITS>(&checksum).map(char::from));
        Self(text.into())
    }

    /// The secret itself. It belongs into the answer to whoever invites, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl InvitationHash {
    /// What is stored of a secret; of a text that is none, what nothing is found by.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text);
        Self(digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    /// Trusts a stored value.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainInvitation")
    }
}

impl fmt::Debug for InvitationHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationHash")
    }
}
