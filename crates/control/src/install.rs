//! The first start: an organization, its owner and the owner's key.

use std::io;

use windlass_auth::{AuditObject, Membership, NewApiKey, PlainKey, Role, Scope, mint};
use windlass_domain::{Name, NameError, Organization, User};

use crate::{Control, ControlError, audit::Deed};

/// Whether [`install`] had anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installation {
    /// There was an organization already.
    Present,
    /// The organization, its owner and the owner's key are new.
    Made,
}

/// Makes an organization, its owner and an owner's key, unless there is an organization already.
///
/// `keep` is handed the key before anything is permanent: where it fails, nothing has happened,
/// and the next start tries again.
pub async fn install<F>(control: &Control, keep: F) -> Result<Installation, ControlError>
where
    F: FnOnce(&PlainKey) -> io::Result<()> + Send,
{
    let fx = control.fx();
    if control.store().read().await?.organizations().first_of_everyone().await?.is_some() {
        return Ok(Installation::Present);
    }
    let organization = Organization::create(name("Default")?, fx);
    let owner = User::create(name("Owner")?, fx);
    let membership =
        Membership { organization_id: organization.id, user_id: owner.id, role: Role::Owner };
    let new = NewApiKey {
        name: name("owner")?,
        scopes: vec![Scope::Admin],
        project_ids: None,
        allowed_addresses: None,
        expires_at: None,
    };
    let (format, hasher) = (&control.inner.key_format, &control.inner.key_hasher);
    // Hashing is slow work, so it comes before the unit of work.
    let minted = mint(new, membership, format, hasher, fx).await?;

    let mut uow = control.store().write().await?;
    if uow.organizations().first_of_everyone_for_update().await?.is_some() {
        // Another server on the same database was faster.
        return Ok(Installation::Present);
    }
    uow.organizations().insert(&organization).await?;
    uow.organizations().insert_user(&owner).await?;
    uow.organizations().insert_membership(&membership).await?;
    uow.api_keys().insert(&minted.record).await?;
    let object = AuditObject::new(organization.id);
    let deed = Deed::by_operator(organization.id, "install", Some(object));
    control.write_down(&mut *uow, deed).await?;
    keep(&minted.key).map_err(|err| ControlError::Internal(Box::new(err)))?;
    uow.commit().await?;

    tracing::info!(organization.id = %organization.id, "organization and owner created");
    Ok(Installation::Made)
}

fn name(text: &str) -> Result<Name, ControlError> {
    text.parse().map_err(|err: NameError| ControlError::Internal(Box::new(err)))
}
