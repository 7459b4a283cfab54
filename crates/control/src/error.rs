//! The one error of all use cases.

use std::error::Error;

use chrono::TimeDelta;
use windlass_auth::{AuthError, CredentialKind, HashError, MemberRefusal, MintError, Permission};
use windlass_domain::TransitionError;
use windlass_storage::StoreError;

use crate::SealError;

/// Why a use case failed. Each variant is something a caller reacts to differently.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The credential is malformed, unknown, wrong, expired or revoked; no more is told.
    #[error("invalid or expired {0}")]
    InvalidCredential(CredentialKind),

    /// Nothing proves that the message comes from a forge that we know.
    #[error("no project of this repository has the secret with which this is signed")]
    NotProven,

    /// The credential is good, but may not be used from where the request comes from.
    #[error("the credential may not be used from this address")]
    WrongAddress(CredentialKind),

    /// There is nothing, or nothing that the caller may know of.
    #[error("no such {0}")]
    NotFound(&'static str),

    /// The operator has not set this up.
    #[error("{0}")]
    NotSetUp(&'static str),

    /// The caller lacks a permission.
    #[error("the permission `{0}` is missing")]
    Forbidden(Permission),

    /// The caller's credential belongs to another organization than the one that was named.
    #[error("the credential belongs to another organization")]
    WrongOrganization,

    /// The caller may not do this to that, whatever its permissions.
    #[error("{message}")]
    Refused {
        /// What stands in the way, for programs.
        code: &'static str,
        /// What stands in the way, for people.
        message: String,
    },

    /// There is no such account, or it has another password; which of both is not told.
    #[error("wrong e-mail address or password")]
    WrongPassword,

    /// Too many attempts to sign in have failed lately.
    #[error("too many failed attempts to sign in")]
    TooManyAttempts {
        /// When the next one is allowed.
        retry_after: TimeDelta,
    },

    /// It is for people who have signed in, not for keys or tokens.
    #[error("only a session can do this: sign in")]
    NeedsSession,

    /// The person belongs to no organization.
    #[error("you belong to no organization (any more)")]
    NoOrganization,

    /// A field's value cannot be accepted.
    #[error("{field} {message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, as the rest of a sentence that begins with its name.
        message: String,
    },

    /// The present state does not allow it.
    #[error("{message}")]
    Conflict {
        /// What stands in the way, for programs.
        code: &'static str,
        /// What stands in the way, for people.
        message: String,
    },

    /// The thing has changed since the caller last saw it.
    #[error("it has changed meanwhile: read it again")]
    Changed,

    /// Trying again later may work.
    #[error("not available at the moment, try again")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),

    /// Somebody else's server does not do its part; trying again later may work.
    #[error("{message}")]
    Elsewhere {
        /// What does not work, for people.
        message: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    /// A fault of ours.
    #[error("internal error")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl ControlError {
    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }
}

impl From<StoreError> for ControlError {
    fn from(err: StoreError) -> Self {
        match err {
            StoreError::Taken(what) => Self::conflict("taken", format!("this {what} is taken")),
            StoreError::Busy(_) | StoreError::Unreachable(_) => Self::Unavailable(Box::new(err)),
            StoreError::Corrupt { .. } | StoreError::Backend(_) => Self::Internal(Box::new(err)),
        }
    }
}

impl From<TransitionError> for ControlError {
    fn from(err: TransitionError) -> Self {
        Self::conflict("wrong_state", err.to_string())
    }
}

impl From<MemberRefusal> for ControlError {
    fn from(err: MemberRefusal) -> Self {
        match err {
            MemberRefusal::Above | MemberRefusal::AboveOwn { .. } => {
                Self::refused("role_too_high", err.to_string())
            }
            MemberRefusal::LastOwner => Self::conflict("last_owner", err.to_string()),
            MemberRefusal::TooBroad { permission } => Self::Forbidden(permission),
            MemberRefusal::Bound => Self::conflict("restricted_credential", err.to_string()),
        }
    }
}

impl From<AuthError> for ControlError {
    fn from(err: AuthError) -> Self {
        match err {
            AuthError::Invalid => Self::InvalidCredential(CredentialKind::ApiKey),
            AuthError::WrongAddress(_) => Self::WrongAddress(CredentialKind::ApiKey),
            AuthError::Busy | AuthError::Unavailable(_) => Self::Unavailable(Box::new(err)),
        }
    }
}

impl From<HashError> for ControlError {
    fn from(err: HashError) -> Self {
        match err {
            HashError::Busy => Self::Unavailable(Box::new(err)),
            HashError::Failed(_) => Self::Internal(Box::new(err)),
        }
    }
}

impl From<SealError> for ControlError {
    fn from(err: SealError) -> Self {
        Self::Internal(Box::new(err))
    }
}

impl From<MintError> for ControlError {
    fn from(err: MintError) -> Self {
        match err {
            MintError::TooBroad { permission } => Self::Forbidden(permission),
            MintError::OutOfReach { .. } | MintError::Unbound | MintError::TooManyProjects => {
                Self::Invalid { field: "project_ids", message: format!("is refused: {err}") }
            }
            MintError::OutOfNetwork { .. } | MintError::Anywhere | MintError::TooManyAddresses => {
                Self::Invalid { field: "allowed_addresses", message: format!("is refused: {err}") }
            }
            MintError::Outlives { .. } | MintError::Expired => {
                Self::Invalid { field: "expires_at", message: format!("is refused: {err}") }
            }
            MintError::Restricted => Self::conflict("restricted_credential", err.to_string()),
            MintError::Hash(err) => err.into(),
        }
    }
}
