//! Use cases on organizations.

use std::sync::Arc;

use windlass_auth::{Credential, Membership, Permission, Principal, Role, Target};
use windlass_domain::{Name, Organization, OrganizationId, Page, PageRequest};
use windlass_storage::{Signal, UnitOfWork};

use crate::{Caller, Control, ControlError};

/// An organization, and what the caller is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// The organization.
    pub organization: Organization,
    /// The role of the person on whose behalf the call is made.
    pub role: Role,
}

/// Lists the organizations that the caller's credential opens, newest first: all of the person's
/// who has signed in, its own one for any other credential.
pub async fn list_organizations(
    control: &Control,
    caller: &Caller,
    page: PageRequest<OrganizationId>,
) -> Result<Page<Belonging>, ControlError> {
    let own = caller.organization();
    caller.may_read(Permission::OrganizationsRead, Target::organization(own))?;
    if caller.has_signed_in() {
        let mut uow = control.store().read().await?;
        let found = uow.members().list_organizations(caller.principal.user_id, page).await?;
        let belonging = |(organization, role)| Belonging { organization, role };
        let items = found.items.into_iter().map(belonging).collect();
        return Ok(Page { items, has_next: found.has_next });
    }
    let mut items = Vec::new();
    if page.cursor.is_none_or(|cursor| own < cursor) {
        items.push(get_organization(control, caller, own).await?);
    }
    Ok(Page { items, has_next: false })
}

/// Finds one organization that the caller's credential opens.
pub async fn get_organization(
    control: &Control,
    caller: &Caller,
    id: OrganizationId,
) -> Result<Belonging, ControlError> {
    let mut uow = control.store().read().await?;
    let caller = within(&mut *uow, caller, id).await?;
    caller.may_read(Permission::OrganizationsRead, Target::organization(id))?;
    let organization = uow.organizations().find(id).await?;
    let organization = organization.ok_or(ControlError::NotFound("organization"))?;
    Ok(Belonging { organization, role: caller.principal.role })
}

/// Creates an organization of which the caller is the owner.
///
/// That is for people who have signed in, since any other credential opens one organization and
/// no other; and for those who may change the organization that they are in, since whoever was
/// only let in to look on must not come to run programs here by owning something.
pub async fn create_organization(
    control: &Control,
    caller: &Caller,
    name: Name,
) -> Result<Belonging, ControlError> {
    let own = Target::organization(caller.organization());
    let grant = caller.may(Permission::OrganizationsWrite, own)?;
    caller.session().map_err(|err| caller.note_refusal(err))?;
    let organization = Organization::create(name, control.fx());
    let user_id = caller.principal.user_id;
    let role = Role::Owner;
    let membership = Membership { organization_id: organization.id, user_id, role };
    let mut uow = control.store().write().await?;
    uow.organizations().insert(&organization).await?;
    uow.organizations().insert_membership(&membership).await?;
    control.write_down(&mut *uow, caller.did(grant, organization.id)).await?;
    uow.signal(Signal::Member(user_id));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.forget_credentials_of(user_id);

    tracing::info!(organization.id = %organization.id, "organization created");
    Ok(Belonging { organization, role })
}

/// Gives an organization another name.
pub async fn update_organization(
    control: &Control,
    caller: &Caller,
    id: OrganizationId,
    name: Name,
) -> Result<Belonging, ControlError> {
    let mut uow = control.store().write().await?;
    let caller = within(&mut *uow, caller, id).await?;
    let grant = caller.may(Permission::OrganizationsWrite, Target::organization(id))?;
    let organization = uow.organizations().find_for_update(id).await?;
    let organization = organization.ok_or(ControlError::NotFound("organization"))?;
    let organization = Organization { name, ..organization };
    uow.organizations().update(&organization).await?;
    control.write_down(&mut *uow, caller.did(grant, id)).await?;
    uow.commit().await?;
    Ok(Belonging { organization, role: caller.principal.role })
}

/// The caller in the organization that a request names, with what it is there now.
///
/// Whoever has signed in is in as many as have let them in; any other credential opens one. An
/// organization out of reach is not there.
pub(crate) async fn within(
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    id: OrganizationId,
) -> Result<Caller, ControlError> {
    let principal = &caller.principal;
    let role = uow.organizations().role_of(id, principal.user_id).await?;
    let role = role.ok_or(ControlError::NotFound("organization"))?;
    let permissions = match principal.credential {
        Credential::Session { .. } => role.permissions(),
        Credential::ApiKey { .. } | Credential::Token { .. } if principal.organization_id == id => {
            principal.permissions.intersection(role.permissions())
        }
        Credential::ApiKey { .. } | Credential::Token { .. } => {
            return Err(ControlError::NotFound("organization"));
        }
    };
    let principal = Principal { organization_id: id, role, permissions, ..(**principal).clone() };
    Ok(Caller { principal: Arc::new(principal), ..caller.clone() })
}
