//! Who calls, and by which request.

use std::{net::IpAddr, sync::Arc};

use windlass_auth::{CredentialKind, Denied, Permission, Principal, Target, authorize};
use windlass_domain::{OrganizationId, ProjectId};

use crate::ControlError;

/// Who calls, and by which request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The request, so that the work it causes can be found in the logs.
    pub request_id: Option<String>,
    /// Where the request comes from, as far as it is known.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// The tenant in which everything of this call happens.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.principal.organization_id
    }

    /// Whether it is a person in a browser, and no key or token.
    pub(crate) fn has_signed_in(&self) -> bool {
        self.principal.credential.kind() == CredentialKind::Session
    }

    /// Decides about the organization, or about the collection of its projects.
    pub(crate) fn may(&self, permission: Permission, target: Target) -> Result<(), ControlError> {
        self.decide(permission, target, "organization")
    }

    /// Decides about something of a project; out of reach, there is "no such `thing`".
    pub(crate) fn may_find(
        &self,
        target: Target,
        permission: Permission,
        thing: &'static str,
    ) -> Result<(), ControlError> {
        self.decide(permission, target, thing)
    }

    /// A project of the tenant, to decide about.
    pub(crate) fn project(&self, id: ProjectId) -> Target {
        Target::project(self.organization(), id)
    }

    fn decide(
        &self,
        permission: Permission,
        target: Target,
        thing: &'static str,
    ) -> Result<(), ControlError> {
        match authorize(&self.principal, permission, target) {
            Ok(_grant) => Ok(()),
            Err(Denied::Hidden) => Err(ControlError::NotFound(thing)),
            Err(Denied::Forbidden { permission }) => Err(ControlError::Forbidden(permission)),
            Err(Denied::WrongOrganization) => Err(ControlError::WrongOrganization),
            Err(Denied::Undecided(err)) => Err(ControlError::Unavailable(Box::new(err))),
        }
    }
}
