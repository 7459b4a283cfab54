//! Who may do what.
//!
//! A presented credential is verified once and becomes a [`Principal`]; one pure function,
//! [`authorize`], then decides about every single thing that it wants to do. The crate knows
//! nothing of HTTP frameworks or databases: stored keys come through a [`KeyDirectory`], and time
//! and randomness are passed in.
//!
//! - A [`Permission`] is one right, such as `projects:read`. Every route asks for one.
//! - A [`Scope`] is a named set of permissions, such as `build`. An API key holds scopes.
//! - A [`Role`] is what a person is in an organization. A key never has more than its creator's
//!   role allows now, and may be bound to some projects and addresses besides.
//!
//! The [tutorial] goes all the way: a key is made, verified, asked and revoked; a token is made,
//! narrowed without asking anybody, verified and revoked. `examples/embed` of the repository is a
//! whole service.
//!
//! # Features
//!
//! - `biscuit`: tokens, which whoever holds one can narrow and hand on; see `TokenVerifier`.
//! - `password`: what people sign in with; see `PasswordHasher`.
//! - `session`: signed cookies for browsers, see `SessionVerifier`; and services that say who
//!   somebody is, see `IdentityService`.
//!
//! Without any, there are API keys and the decision.

mod api_key;
mod audit;
mod base62;
mod bearer;
mod decision;
#[cfg(feature = "session")]
mod elsewhere;
mod flights;
mod invitation;
mod login_code;
mod member;
mod network;
#[cfg(any(feature = "biscuit", feature = "session"))]
mod numbered_keys;
mod one_time;
#[cfg(feature = "password")]
mod password;
mod permission;
mod permission_set;
mod principal;
mod record;
mod restriction;
mod role;
mod scope;
#[cfg(feature = "session")]
mod session;
mod slow;
#[cfg(feature = "biscuit")]
mod token;
#[cfg(doc)]
pub mod tutorial;
mod uses;
mod verified;

#[cfg(feature = "session")]
pub use crate::elsewhere::{Detour, IdentityService, IdentityServiceError, KnownElsewhere};
#[cfg(any(feature = "biscuit", feature = "session"))]
pub use crate::numbered_keys::{NumberedKeys, NumberedKeysError};
#[cfg(feature = "password")]
pub use crate::password::{
    PasswordCost, PasswordCostError, PasswordHash, PasswordHasher, PasswordLengthError,
    PasswordOptions, PasswordVerdict, PlainPassword,
};
#[cfg(feature = "session")]
pub use crate::session::{
    PlainSession, SessionDirectory, SessionEntry, SessionError, SessionKeys, SessionVerifier,
    SignSessionError, session_key_of, sign_session,
};
#[cfg(feature = "biscuit")]
pub use crate::token::{
    InspectedBlock, Inspection, MalformedToken, MintTokenError, MintedToken, NarrowError,
    Narrowing, NewToken, PlainToken, RootKeys, TokenDirectory, TokenEntry, TokenError,
    TokenVerifier, attenuate, inspect, looks_like_token, mint_token, seal,
};
pub use crate::{
    api_key::{
        AuthError, BcryptCost, BcryptCostError, Creator, DirectoryError, HasherOptions,
        ImportError, ImportedFormat, ImportedKey, KeyDirectory, KeyEntry, KeyFormat, KeyHasher,
        KeyPrefixError, KeyVerifier, MintError, MintedKey, NewApiKey, NewKey, ParsedKey, PlainKey,
        Rehash, VerifierOptions, import, mint,
    },
    audit::{
        Actor, AuditEntry, AuditEntryId, AuditObject, AuditOutcome, Audited, ParseAuditOutcomeError,
    },
    bearer::bearer_credential,
    decision::{Denied, Grant, Target, authorize},
    invitation::{
        InvitationId, InvitationRecord, InvitationState, MintedInvitation, NewInvitation,
    },
    login_code::{
        CodeChallenge, CodeVerifier, LoginCodeRecord, LoopbackRedirect, LoopbackRedirectError,
        MintedLoginCode, NewLoginCode, PkceError,
    },
    member::{MemberChange, MemberRefusal, Standing, check_admission},
    network::{Network, ParseNetworkError},
    one_time::{OneTimeHash, OneTimeSecret},
    permission::{ParsePermissionError, Permission},
    permission_set::PermissionSet,
    principal::{AddressReach, Credential, CredentialKind, Principal, ProjectReach},
    record::{
        ApiKeyId, ApiKeyRecord, ExternalIdentity, IdentityProvider, Member, Membership,
        ParseRoleError, Role, SessionId, SessionRecord, TokenId, TokenPurpose, TokenRecord,
    },
    restriction::{Checks, OutOfBudget, Restriction},
    scope::{ParseScopeError, Scope},
    slow::HashError,
};
/// What stands in signatures here, so that a service needs no other crate of Windlass.
#[doc(no_inline)]
pub use windlass_domain::{
    Clock, DeploymentId, Effects, Entropy, EnvironmentId, Name, OrganizationId, OsEntropy,
    ProjectId, SystemClock, UserId,
};
