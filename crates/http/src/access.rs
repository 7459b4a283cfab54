//! Who may call an operation: said once, where the operation is registered.

use windlass_auth::{Permission, Scope};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Public,
    /// Whoever presents a good credential, whatever it is for.
    AnyCredential,
    /// Whoever has signed in: neither keys nor tokens stand for a person.
    Session,
    /// Whoever holds this permission. The use case decides, this is where it is announced.
    Needs(Permission),
    /// The same, where people know this permission by the name of a scope that has it.
    NeedsAs(Permission, Scope),
    /// The same, and a token may be in the address instead of a header.
    NeedsOrLink(Permission),
    /// Whoever holds this permission, unless the operator has opened it to everybody.
    NeedsUnlessOpened(Permission),
}

/// What an operation needs, for reference tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationAccess {
    /// The operation's id.
    pub operation_id: String,
    /// The name of its use case: in the audit log it goes by that. It is another one where two
    /// operations are one use case.
    pub use_case: String,
    /// The HTTP method, in capitals.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: String,
    /// The one permission that it needs. Without one it is open: to everybody, or to every good
    /// credential.
    pub permission: Option<Permission>,
    /// By which name its permission is known there: to whoever lacks it, and in the description.
    pub scope: Option<Scope>,
    /// Whether a credential has to be presented at all.
    pub needs_credential: bool,
    /// Whether that must be a session.
    pub needs_session: bool,
}

/// What every operation needs, in the order in which they are documented.
#[must_use]
pub fn permissions() -> Vec<OperationAccess> {
    crate::operations().iter().map(crate::operation::Operation::row).collect()
}

impl Access {
    /// The permission that is needed, if it is a certain one.
    pub(crate) fn permission(self) -> Option<Permission> {
        match self {
            Self::Public | Self::AnyCredential | Self::Session => None,
            Self::Needs(permission)
            | Self::NeedsAs(permission, _)
            | Self::NeedsOrLink(permission)
            | Self::NeedsUnlessOpened(permission) => Some(permission),
        }
    }

    /// By which name the permission is known.
    pub(crate) fn scope(self) -> Option<Scope> {
        match self {
            Self::Public | Self::AnyCredential | Self::Session => None,
            Self::Needs(permission)
            | Self::NeedsOrLink(permission)
            | Self::NeedsUnlessOpened(permission) => Some(Scope::Permission(permission)),
            Self::NeedsAs(_, scope) => Some(scope),
        }
    }

    /// Whether a credential has to be presented.
    pub(crate) fn needs_credential(self, is_opened: bool) -> bool {
        match self {
            Self::Public => false,
            Self::AnyCredential
            | Self::Session
            | Self::Needs(_)
            | Self::NeedsAs(..)
            | Self::NeedsOrLink(_) => true,
            Self::NeedsUnlessOpened(_) => !is_opened,
        }
    }

    /// Whether somebody must have signed in.
    pub(crate) fn needs_session(self) -> bool {
        matches!(self, Self::Session)
    }

    /// Whether a token may be in the address.
    pub(crate) fn takes_link(self) -> bool {
        matches!(self, Self::NeedsOrLink(_))
    }

    /// The same as a sentence.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Public => "Needs no credential.".to_owned(),
            Self::AnyCredential => "Needs a credential, but no permission.".to_owned(),
            Self::Session => "Needs a session; it is not for API keys and tokens.".to_owned(),
            Self::Needs(permission) => format!("Needs the permission `{permission}`."),
            Self::NeedsAs(permission, scope) => {
                format!("Needs the permission `{permission}`, known here as the scope `{scope}`.")
            }
            Self::NeedsOrLink(permission) => format!(
                "Needs the permission `{permission}`. The credential may be a token in the address, as in a link."
            ),
            Self::NeedsUnlessOpened(permission) => format!(
                "Needs the permission `{permission}`, unless the operator has opened it to everybody."
            ),
        }
    }
}
