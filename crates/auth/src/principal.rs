//! Who is calling, once a credential has been verified.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use windlass_domain::{Name, OrganizationId, ProjectId, UserId};

use crate::{ApiKeyId, PermissionSet, Role, Scope};

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
        /// When it stops working by itself.
        expires_at: Option<DateTime<Utc>>,
    },
}

/// The projects of an organization that a credential reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectReach {
    /// All of them, later ones included.
    All,
    /// Only these; an empty list reaches none.
    Only(Arc<[ProjectId]>),
}

impl Principal {
    /// How the caller is named to people and in the audit log, such as `API key "ci"`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.credential {
            Credential::ApiKey { name, .. } => format!("API key \"{name}\""),
        }
    }

    /// Whether the credential reaches a project of its organization.
    #[must_use]
    pub fn reaches(&self, project: ProjectId) -> bool {
        self.projects.includes(project)
    }
}

impl Credential {
    /// When it stops working by itself.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::ApiKey { expires_at, .. } => *expires_at,
        }
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

impl From<Option<Vec<ProjectId>>> for ProjectReach {
    /// From the stored form, where an absent list stands for all projects.
    fn from(projects: Option<Vec<ProjectId>>) -> Self {
        projects.map_or(Self::All, |projects| Self::Only(projects.into()))
    }
}
