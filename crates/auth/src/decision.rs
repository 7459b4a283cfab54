//! The one function that decides.

use windlass_domain::{OrganizationId, ProjectId};

use crate::{Permission, Principal, ProjectReach};

/// What a caller wants to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    organization: OrganizationId,
    kind: TargetKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TargetKind {
    Organization,
    Projects,
    Project(ProjectId),
}

/// Proof that a caller may do something: only [`authorize`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Grant {
    permission: Permission,
    target: Target,
}

/// The decision was no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller may not even learn that the thing exists: answer as if it did not.
    #[error("no such thing within the caller's reach")]
    Hidden,
    /// The caller may know the thing but not do this to it.
    #[error("the credential does not grant {permission} here")]
    Forbidden {
        /// What was asked for.
        permission: Permission,
    },
    /// The caller has named another organization than that of its credential.
    #[error("the credential belongs to another organization")]
    WrongOrganization,
}

impl Target {
    /// An organization as a whole, or something that belongs to it rather than to a project:
    /// its API keys, its members, all of its usage.
    #[must_use]
    pub fn organization(organization: OrganizationId) -> Self {
        Self { organization, kind: TargetKind::Organization }
    }

    /// The collection of an organization's projects and of what is in them.
    ///
    /// Whoever reads it must leave out what the caller does not reach: see
    /// [`Principal::projects`].
    #[must_use]
    pub fn projects(organization: OrganizationId) -> Self {
        Self { organization, kind: TargetKind::Projects }
    }

    /// A project or something in it. The organization is the one that the project belongs to.
    #[must_use]
    pub fn project(organization: OrganizationId, project: ProjectId) -> Self {
        Self { organization, kind: TargetKind::Project(project) }
    }

    /// The organization that the target belongs to.
    #[must_use]
    pub fn organization_id(self) -> OrganizationId {
        self.organization
    }

    /// The project that the target is or is in, if it is a single one.
    #[must_use]
    pub fn project_id(self) -> Option<ProjectId> {
        match self.kind {
            TargetKind::Organization | TargetKind::Projects => None,
            TargetKind::Project(project) => Some(project),
        }
    }
}

impl Grant {
    /// What was granted.
    #[must_use]
    pub fn permission(&self) -> Permission {
        self.permission
    }

    /// On what it was granted.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }
}

/// Decides whether a caller may do something.
///
/// Asks in this order: is it the credential's organization, does the credential grant the
/// permission, does it reach the project? A credential that is bound to projects reads the
/// collection of projects (filtered), but neither adds to it nor touches what belongs to the
/// organization as a whole.
pub fn authorize(
    principal: &Principal,
    permission: Permission,
    target: Target,
) -> Result<Grant, Denied> {
    if target.organization != principal.organization_id {
        return Err(match target.kind {
            // An organization is named by the caller itself, a project is found by its identifier.
            TargetKind::Organization | TargetKind::Projects => Denied::WrongOrganization,
            TargetKind::Project(_) => Denied::Hidden,
        });
    }
    if !principal.permissions.contains(permission) {
        return Err(Denied::Forbidden { permission });
    }
    match (target.kind, &principal.projects) {
        (TargetKind::Project(project), reach) if !reach.includes(project) => Err(Denied::Hidden),
        (TargetKind::Organization, ProjectReach::Only(_)) => Err(Denied::Forbidden { permission }),
        (TargetKind::Projects, ProjectReach::Only(_)) if !permission.is_read() => {
            Err(Denied::Forbidden { permission })
        }
        (TargetKind::Organization | TargetKind::Projects | TargetKind::Project(_), _) => {
            Ok(Grant { permission, target })
        }
    }
}
