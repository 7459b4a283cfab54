//! What has to be stored so that a decision can be made later.

use std::{fmt, net::IpAddr, str::FromStr};

use chrono::{DateTime, Utc};
use windlass_domain::{Id, IdKind, Name, OrganizationId, ProjectId, User, UserId};

use crate::Network;

/// An API key as it is stored: everything but the key itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Identifier, for people and lists.
    pub id: ApiKeyId,
    /// The tenant that it opens; no other.
    pub organization_id: OrganizationId,
    /// The public part of the key by which the row is found; unique among all tenants. For a key
    /// that was made elsewhere, it only keeps the key from being imported twice.
    pub lookup: String,
    /// The first characters of the key, enough for its owner to know it again.
    pub prefix: String,
    /// bcrypt hash of the whole key, in the modular crypt format.
    pub hash: String,
    /// What it is for.
    pub name: Name,
    /// Names of its [scopes](crate::Scope). An empty list grants nothing, nor does an unknown name.
    pub scopes: Vec<String>,
    /// The only projects that it reaches; all of the organization's where absent.
    pub project_ids: Option<Vec<ProjectId>>,
    /// The only networks from which it may be used; any where absent.
    pub allowed_addresses: Option<Vec<Network>>,
    /// For a key that was made elsewhere, its first characters: by these it is found, as it has no
    /// look-up id of ours.
    pub imported_start: Option<String>,
    /// Whose key it is: it never has more rights than this person has now.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it stops working by itself: at this instant it is refused already.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, give or take the time between two batches of such notes.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Identifier of an API key.
pub type ApiKeyId = Id<ApiKeyRecord>;

impl IdKind for ApiKeyRecord {
    const PREFIX: &'static str = "key";
}

/// A token as it is known to the server, which does not have the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Identifier; the token carries it, too.
    pub id: TokenId,
    /// The tenant that it opens; no other.
    pub organization_id: OrganizationId,
    /// What it is for.
    pub label: Name,
    /// How it is used.
    pub purpose: TokenPurpose,
    /// The revocation identifier of its first block, in lower-case hexadecimal digits.
    pub revocation_id: String,
    /// Whose token it is: it never has more rights than this person has now.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it stops working by itself: at this instant it is refused already.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// How a token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPurpose {
    /// It is handed to whoever is to act with it.
    Delegation,
    /// It is a person's own: a program on their machine acts with it as they would themselves.
    Login,
    /// It is part of one link, and opens nothing elsewhere.
    Link {
        /// The API key with which the link was made, if it was: the link ends with it.
        issuing_key: Option<ApiKeyId>,
    },
}

/// Identifier of a token.
pub type TokenId = Id<TokenRecord>;

impl IdKind for TokenRecord {
    const PREFIX: &'static str = "tok";
}

/// A browser session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Identifier; the cookie carries it, signed.
    pub id: SessionId,
    /// Who has signed in.
    pub user_id: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself: at this instant it is refused already.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, give or take the time between two batches of such notes.
    pub last_seen_at: DateTime<Utc>,
    /// Where it was begun: the client's own description of itself, cut to a legible length.
    pub user_agent: String,
    /// The address from which it was begun, where it is known.
    pub address: Option<IpAddr>,
}

/// Identifier of a session.
pub type SessionId = Id<SessionRecord>;

impl IdKind for SessionRecord {
    const PREFIX: &'static str = "ses";
}

impl ApiKeyRecord {
    /// Whether it has neither been revoked nor expired.
    #[must_use]
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

impl fmt::Debug for ApiKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hash would let a reader of logs guess at the key.
        f.debug_struct("ApiKeyRecord")
            .field("id", &self.id)
            .field("organization_id", &self.organization_id)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// What a person is known by elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// Where.
    pub provider: IdentityProvider,
    /// As what: something that is never given to anybody else there. (Names and e-mail addresses
    /// are.)
    pub subject: String,
}

/// Others who tell who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityProvider {
    /// GitHub, by the number of the account.
    Github,
}

impl IdentityProvider {
    /// Its name in the database and for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
        }
    }

    /// The provider with a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Github].into_iter().find(|provider| provider.name() == name)
    }
}

/// A person's place in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub organization_id: OrganizationId,
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: Role,
}

/// A person, and what they are in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
}

/// What a person is in an organization, from the least to the most; see [`Role::permissions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees everything that is not confidential.
    Viewer,
    /// Works: creates projects, deploys, sets variables.
    Member,
    /// Also decides who gets in, short of owners, and sees who did what.
    Admin,
    /// Everything.
    Owner,
}

/// The text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of owner, admin, member, viewer")]
pub struct ParseRoleError;

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    /// The role's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(ParseRoleError)
    }
}
