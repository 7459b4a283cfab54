//! The one function that decides.

use windlass_domain::{DeploymentId, EnvironmentId, OrganizationId, ProjectId};

use crate::{OutOfBudget, Permission, Principal, ProjectReach, Restriction};

/// What a caller wants to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    organization: OrganizationId,
    kind: TargetKind,
    environment: Option<EnvironmentId>,
    deployment: Option<DeploymentId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Nobody knows: this says nothing about the credential, and trying again may work.
    #[error(transparent)]
    Undecided(#[from] OutOfBudget),
}

impl Target {
    /// An organization as a whole, or something that belongs to it rather than to a project:
    /// its API keys, its members, all of its usage.
    #[must_use]
    pub fn organization(organization: OrganizationId) -> Self {
        Self::new(organization, TargetKind::Organization)
    }

    /// The collection of an organization's projects and of what is in them.
    ///
    /// Whoever reads it must leave out what the caller does not reach: see
    /// [`Principal::projects`].
    #[must_use]
    pub fn projects(organization: OrganizationId) -> Self {
        Self::new(organization, TargetKind::Projects)
    }

    /// A project or something in it. The organization is the one that the project belongs to.
    #[must_use]
    pub fn project(organization: OrganizationId, project: ProjectId) -> Self {
        Self::new(organization, TargetKind::Project(project))
    }

    /// The same target, within one environment of the project.
    #[must_use]
    pub fn in_environment(self, environment: EnvironmentId) -> Self {
        Self { environment: Some(environment), ..self }
    }

    /// The same target, within one deployment.
    #[must_use]
    pub fn in_deployment(self, deployment: DeploymentId) -> Self {
        Self { deployment: Some(deployment), ..self }
    }

    fn new(organization: OrganizationId, kind: TargetKind) -> Self {
        Self { organization, kind, environment: None, deployment: None }
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

    /// Whether the target is the collection of projects, or of what is in them.
    #[must_use]
    pub fn is_collection(self) -> bool {
        self.kind == TargetKind::Projects
    }

    /// The environment that the target is or is in, if it is a single one.
    #[must_use]
    pub fn environment_id(self) -> Option<EnvironmentId> {
        self.environment
    }

    /// The deployment that the target is or is in, if it is a single one.
    #[must_use]
    pub fn deployment_id(self) -> Option<DeploymentId> {
        self.deployment
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
/// permission, does it reach the project, do the credential's own checks hold? A credential that
/// is bound to projects reads the collection of projects (filtered), but neither adds to it nor
/// touches what belongs to the organization as a whole. Where only a credential's checks stand in
/// the way and they would let it do nothing at all to the target, the target is hidden from it.
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
    let forbidden = Err(Denied::Forbidden { permission });
    if !principal.permissions.contains(permission) {
        return forbidden;
    }
    match (target.kind, &principal.projects) {
        (TargetKind::Project(project), reach) if !reach.includes(project) => {
            return Err(Denied::Hidden);
        }
        (TargetKind::Organization, ProjectReach::Only(_)) => return forbidden,
        (TargetKind::Projects, ProjectReach::Only(_)) if !permission.is_read() => return forbidden,
        (TargetKind::Organization | TargetKind::Projects | TargetKind::Project(_), _) => {}
    }
    let Some(restriction) = &principal.restriction else {
        return Ok(Grant { permission, target });
    };
    if restriction.allows(permission, target)? {
        Ok(Grant { permission, target })
    } else if is_visible(principal, restriction, target)? {
        forbidden
    } else {
        Err(Denied::Hidden)
    }
}

/// Whether a caller's own checks let it do anything at all to a target. What belongs to no project
/// is known to everybody.
fn is_visible(
    principal: &Principal,
    restriction: &Restriction,
    target: Target,
) -> Result<bool, OutOfBudget> {
    if target.project_id().is_none() {
        return Ok(true);
    }
    for permission in principal.permissions.iter() {
        if restriction.allows(permission, target)? {
            return Ok(true);
        }
    }
    Ok(false)
}
