//! Who is calling, once a credential has been verified.

use std::{fmt, net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use windlass_domain::{Name, OrganizationId, ProjectId, UserId};

use crate::{
    ApiKeyId, Network, OutOfBudget, PermissionSet, Restriction, Role, Scope, SessionId, TokenId,
};

/// A verified caller and all that it may do.
///
/// Whatever the kind of credential, a decision needs only this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The one tenant that the credential opens.
    pub organization_id: OrganizationId,
    /// The person on whose behalf the call is made.
    pub user_id: UserId,
    /// What this person is in the organization now.
    pub role: Role,
    /// What was presented.
    pub credential: Credential,
    /// What the credential grants and the role allows.
    pub permissions: PermissionSet,
    /// The projects within which the permissions hold.
    pub projects: ProjectReach,
    /// What the credential itself says against some uses, if anything.
    pub restriction: Option<Restriction>,
}

/// What a caller has presented; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An API key.
    ApiKey {
        /// Which one.
        id: ApiKeyId,
        /// What its owner calls it.
        name: Name,
        /// Its first characters, which are public.
        prefix: String,
        /// Its scopes, as they are stored.
        scopes: Vec<Scope>,
        /// From where it may be used.
        addresses: AddressReach,
        /// When it stops working by itself.
        expires_at: Option<DateTime<Utc>>,
    },
    /// A token.
    Token {
        /// Which one.
        id: TokenId,
        /// What its owner calls it.
        label: Name,
        /// When it stops working by itself; what its holder has added may end it earlier.
        expires_at: DateTime<Utc>,
        /// Whether it is good for a link only.
        is_link: bool,
    },
    /// A browser session.
    Session {
        /// Which one.
        id: SessionId,
        /// When it stops working by itself.
        expires_at: DateTime<Utc>,
    },
}

/// The kinds of credential there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// For scripts and continuous integration.
    ApiKey,
    /// For handing on, narrower each time.
    Token,
    /// For people in a browser.
    Session,
}

/// The projects of an organization that a credential reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectReach {
    /// All of them, later ones included.
    All,
    /// Only these; an empty list reaches none.
    Only(Arc<[ProjectId]>),
}

/// The addresses from which a credential may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressReach {
    /// Any address, an unknown one included.
    Anywhere,
    /// Only those in one of these networks; an empty list holds none.
    Only(Arc<[Network]>),
}

impl Principal {
    /// How the caller is named to people and in the audit log, such as `API key "ci"`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.credential {
            Credential::ApiKey { name, .. } => format!("API key \"{name}\""),
            Credential::Token { label, .. } => format!("token \"{label}\""),
            Credential::Session { .. } => format!("{} in a browser", self.user_id),
        }
    }

    /// The permissions that can be of use, as far as that is known without something to use them
    /// on: those of [`Principal::permissions`] that the credential's own checks do not always
    /// refuse. For showing; what is allowed is decided by [`crate::authorize`].
    pub fn usable_permissions(&self) -> Result<PermissionSet, OutOfBudget> {
        let Some(restriction) = &self.restriction else { return Ok(self.permissions) };
        let mut usable = Vec::new();
        for permission in self.permissions.iter() {
            if restriction.may_allow(permission)? {
                usable.push(permission);
            }
        }
        Ok(usable.into_iter().collect())
    }

    /// Whether the credential reaches a project of its organization.
    #[must_use]
    pub fn reaches(&self, project: ProjectId) -> bool {
        self.projects.includes(project)
    }
}

impl Credential {
    /// Which token it is, if it is one.
    #[must_use]
    pub fn token_id(&self) -> Option<TokenId> {
        match self {
            Self::Token { id, .. } => Some(*id),
            Self::ApiKey { .. } | Self::Session { .. } => None,
        }
    }

    /// Which session it is, if it is one.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Session { id, .. } => Some(*id),
            Self::ApiKey { .. } | Self::Token { .. } => None,
        }
    }

    /// Whether it is good for a link only.
    #[must_use]
    pub fn is_link(&self) -> bool {
        matches!(self, Self::Token { is_link: true, .. })
    }

    /// When it stops working by itself.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::ApiKey { expires_at, .. } => *expires_at,
            Self::Token { expires_at, .. } | Self::Session { expires_at, .. } => Some(*expires_at),
        }
    }

    /// From where it may be used. What is made with it must not be usable from elsewhere.
    #[must_use]
    pub fn addresses(&self) -> &AddressReach {
        match self {
            Self::ApiKey { addresses, .. } => addresses,
            Self::Token { .. } | Self::Session { .. } => &AddressReach::Anywhere,
        }
    }

    /// What kind of credential it is.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey { .. } => CredentialKind::ApiKey,
            Self::Token { .. } => CredentialKind::Token,
            Self::Session { .. } => CredentialKind::Session,
        }
    }
}

impl CredentialKind {
    /// Its name for programs: `api_key`, `token` or `session`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Token => "token",
            Self::Session => "session",
        }
    }
}

impl fmt::Display for CredentialKind {
    /// As people call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey => "API key",
            Self::Token => "token",
            Self::Session => "session",
        })
    }
}

impl ProjectReach {
    /// Whether a project is among those that are reached.
    #[must_use]
    pub fn includes(&self, project: ProjectId) -> bool {
        match self {
            Self::All => true,
            Self::Only(projects) => projects.contains(&project),
        }
    }
}

impl AddressReach {
    /// The networks that it is bound to, if it is.
    #[cfg(feature = "biscuit")]
    pub(crate) fn networks(&self) -> Option<Vec<Network>> {
        match self {
            Self::Anywhere => None,
            Self::Only(networks) => Some(networks.to_vec()),
        }
    }

    /// Whether a request from an address is within it. Where the address is not known, it is only
    /// within [`AddressReach::Anywhere`].
    #[must_use]
    pub fn includes(&self, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::Anywhere, _) => true,
            (Self::Only(networks), Some(address)) => {
                networks.iter().any(|network| network.contains(address))
            }
            (Self::Only(_), None) => false,
        }
    }

    /// Whether every address of a network is within it.
    #[must_use]
    pub fn covers(&self, network: &Network) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Only(networks) => networks.iter().any(|own| own.covers(network)),
        }
    }
}

impl From<Option<Vec<Network>>> for AddressReach {
    /// From the stored form, where an absent list stands for all addresses.
    fn from(networks: Option<Vec<Network>>) -> Self {
        networks.map_or(Self::Anywhere, |networks| Self::Only(networks.into()))
    }
}

impl From<Option<Vec<ProjectId>>> for ProjectReach {
    /// From the stored form, where an absent list stands for all projects.
    fn from(projects: Option<Vec<ProjectId>>) -> Self {
        projects.map_or(Self::All, |projects| Self::Only(projects.into()))
    }
}
