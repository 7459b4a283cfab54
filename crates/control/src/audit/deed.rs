//! What somebody did or was refused, before it is a line of the audit log.

use windlass_auth::{
    Actor, AuditEntry, AuditEntryId, AuditObject, AuditOutcome, Audited, Permission, Principal,
    Target,
};
use windlass_domain::{Effects, Environment, Id, OrganizationId, Project};

use crate::{Caller, Occasion, caller::Granted};

/// What somebody did or was refused.
#[derive(Debug)]
#[must_use = "what was done is to be written down"]
pub(crate) struct Deed {
    organization_id: OrganizationId,
    actor: Option<Actor>,
    action: String,
    permission: Option<Permission>,
    object: Option<AuditObject>,
    request: Request,
}

/// Nothing of it for what the operator does on the server's machine.
#[derive(Debug, Clone, Default)]
struct Request {
    id: Option<String>,
    address: Option<std::net::IpAddr>,
}

impl Deed {
    /// What a caller did with a grant.
    pub(crate) fn granted(caller: &Caller, Granted(grant): Granted, object: AuditObject) -> Self {
        let (permission, target) = (grant.permission(), grant.target());
        Self::on(
            &caller.occasion,
            caller.organization(),
            Some(Actor::from(&*caller.principal)),
            Some(object.within(target)),
        )
        .with(permission)
    }

    /// What a caller may not do.
    pub(crate) fn refused(caller: &Caller, permission: Permission, target: Target) -> Self {
        Self::refused_to(&caller.principal, &caller.occasion, Some(target.into())).with(permission)
    }

    /// That a credential that is good is not good for a request.
    pub(crate) fn refused_to(
        principal: &Principal,
        occasion: &Occasion,
        object: Option<AuditObject>,
    ) -> Self {
        let actor = Some(Actor::from(principal));
        Self::on(occasion, principal.organization_id, actor, object)
    }

    /// What happened in a request without anything being decided by a permission: somebody signed
    /// in, or accepted an invitation.
    pub(crate) fn on(
        occasion: &Occasion,
        organization_id: OrganizationId,
        actor: Option<Actor>,
        object: Option<AuditObject>,
    ) -> Self {
        Self {
            organization_id,
            actor,
            action: occasion.action.to_string(),
            permission: None,
            object,
            request: Request { id: occasion.request_id.clone(), address: occasion.address },
        }
    }

    /// What the operator did on the server's own machine.
    pub(crate) fn by_operator(
        organization_id: OrganizationId,
        action: &str,
        object: Option<AuditObject>,
    ) -> Self {
        Self {
            organization_id,
            actor: Some(Actor::Operator),
            action: action.to_owned(),
            permission: None,
            object,
            request: Request::default(),
        }
    }

    /// What a forge caused by a message about a project.
    pub(crate) fn by_forge(
        occasion: &Occasion,
        project: &Project,
        label: String,
        object: AuditObject,
    ) -> Self {
        let within = Target::project(project.organization_id, project.id);
        let actor = Some(Actor::Forge { label });
        Self::on(occasion, project.organization_id, actor, Some(object.within(within)))
    }

    /// What the platform did by itself to an environment.
    pub(crate) fn by_platform(environment: &Environment, action: &str) -> Self {
        let Environment { id, organization_id, project_id, .. } = environment;
        let within = Target::project(*organization_id, *project_id).in_environment(*id);
        Self {
            organization_id: *organization_id,
            actor: Some(Actor::Platform),
            action: action.to_owned(),
            permission: None,
            object: Some(AuditObject::new(*id).within(within)),
            request: Request::default(),
        }
    }

    /// The same deed in a line of its own, where it was done to something else as well.
    pub(crate) fn also_to<K: Audited>(&self, object: Id<K>) -> Self {
        Self {
            organization_id: self.organization_id,
            actor: self.actor.clone(),
            action: self.action.clone(),
            permission: self.permission,
            object: Some(AuditObject::new(object)),
            request: self.request.clone(),
        }
    }

    /// The line that tells of it.
    pub(super) fn entry(self, outcome: AuditOutcome, fx: Effects<'_>) -> AuditEntry {
        let at = fx.clock.now();
        AuditEntry {
            id: AuditEntryId::generate_at(at, fx.entropy),
            organization_id: self.organization_id,
            at,
            actor: self.actor,
            action: self.action,
            permission: self.permission.map(|permission| permission.name().to_owned()),
            object: self.object,
            outcome,
            times: 1,
            request_id: self.request.id,
            address: self.request.address,
        }
    }

    fn with(self, permission: Permission) -> Self {
        Self { permission: Some(permission), ..self }
    }
}
