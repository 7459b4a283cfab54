//! Who calls, and by which request.

use std::{net::IpAddr, sync::Arc};

use windlass_auth::{
    Actor, AuditObject, Audited, CredentialKind, Denied, Grant, Permission, Principal, Target,
    authorize,
};
use windlass_domain::{Id, OrganizationId, ProjectId};

use crate::{
    ControlError,
    audit::{Deed, Refusals},
};

/// A request, as logs name it.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// What is asked for: the name of a use case.
    pub action: Arc<str>,
    /// The request, so that the work it causes can be found in the logs.
    pub request_id: Option<String>,
    /// Where the request comes from, as far as it is known.
    pub address: Option<IpAddr>,
}

/// Who calls, and by which request. [`Control::caller`](crate::Control::caller) makes one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who calls.
    pub principal: Arc<Principal>,
    /// The request.
    pub occasion: Occasion,
    /// Where it is noted what the caller is refused.
    pub(crate) refusals: Arc<Refusals>,
}

/// On whose account something is done: a caller's, a forge's, or the platform's own.
#[derive(Debug, Clone)]
pub(crate) struct Initiator {
    /// The tenant in which it is done.
    pub(crate) organization: OrganizationId,
    /// How people are told who it was.
    pub(crate) label: String,
    /// The request that caused it, if one did.
    pub(crate) request_id: Option<String>,
}

/// A grant to change something, to be spent on the line that tells of it: see [`Caller::did`].
#[derive(Debug)]
#[must_use = "what is done with a grant leaves a trace"]
pub(crate) struct Granted(pub(crate) Grant);

impl Caller {
    /// The tenant in which everything of this call happens.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.principal.organization_id
    }

    /// On whose account the platform goes on.
    pub(crate) fn initiator(&self) -> Initiator {
        Initiator {
            organization: self.organization(),
            label: self.principal.label(),
            request_id: self.occasion.request_id.clone(),
        }
    }

    /// Whether it is a person in a browser, and no key or token.
    pub(crate) fn has_signed_in(&self) -> bool {
        self.principal.credential.kind() == CredentialKind::Session
    }

    /// Decides about a change of the organization, or of the collection of its projects. The grant
    /// is for the line that tells of the change: see [`Caller::did`].
    pub(crate) fn may(
        &self,
        permission: Permission,
        target: Target,
    ) -> Result<Granted, ControlError> {
        self.decide(permission, target, "organization")
    }

    /// Decides about a look at the organization, or at the collection of its projects.
    pub(crate) fn may_read(
        &self,
        permission: Permission,
        target: Target,
    ) -> Result<(), ControlError> {
        self.may(permission, target).map(|_grant| ())
    }

    /// Decides about something of a project; out of reach, there is "no such `thing`".
    pub(crate) fn may_find(
        &self,
        target: Target,
        permission: Permission,
        thing: &'static str,
    ) -> Result<Granted, ControlError> {
        self.decide(permission, target, thing)
    }

    /// A project of the tenant, to decide about.
    pub(crate) fn project(&self, id: ProjectId) -> Target {
        Target::project(self.organization(), id)
    }

    /// What the caller did with a grant, to be [written down](crate::Control::write_down) in the
    /// same unit of work.
    pub(crate) fn did<K: Audited>(&self, grant: Granted, to: Id<K>) -> Deed {
        Deed::granted(self, grant, AuditObject::new(to))
    }

    /// The same for what needs no permission.
    pub(crate) fn did_freely<K: Audited>(&self, to: Id<K>) -> Deed {
        let actor = Some(Actor::from(&*self.principal));
        Deed::on(&self.occasion, self.organization(), actor, Some(AuditObject::new(to)))
    }

    /// Notes a refusal that was decided elsewhere, such as that of a key that would be broader than
    /// its maker.
    pub(crate) fn note_refusal(&self, err: ControlError) -> ControlError {
        let target = Target::organization(self.organization());
        if let ControlError::Forbidden(permission) = err {
            self.refuse(permission, target);
        } else if matches!(err, ControlError::Refused { .. }) {
            let deed = Deed::refused_to(&self.principal, &self.occasion, Some(target.into()));
            self.refusals.note(deed);
        }
        err
    }

    fn decide(
        &self,
        permission: Permission,
        target: Target,
        thing: &'static str,
    ) -> Result<Granted, ControlError> {
        let denied = match authorize(&self.principal, permission, target) {
            Ok(grant) => return Ok(Granted(grant)),
            Err(Denied::Undecided(err)) => return Err(ControlError::Unavailable(Box::new(err))),
            Err(Denied::Hidden) => ControlError::NotFound(thing),
            Err(Denied::Forbidden { permission }) => ControlError::Forbidden(permission),
            Err(Denied::WrongOrganization) => ControlError::WrongOrganization,
        };
        self.refuse(permission, target);
        Err(denied)
    }

    fn refuse(&self, permission: Permission, target: Target) {
        self.refusals.note(Deed::refused(self, permission, target));
    }
}
