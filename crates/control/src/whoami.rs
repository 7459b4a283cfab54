//! Tells a caller who it is.

use windlass_auth::{Credential, Membership, PermissionSet, Role};
use windlass_domain::{Organization, User};

use crate::{Caller, Control, ControlError};

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoAmI {
    /// The person, or the one on whose behalf a key acts.
    pub user: User,
    /// The tenants that the credential opens, and what the person is there.
    pub organizations: Vec<(Organization, Role)>,
    /// What the credential may do, as far as that is known without something to do it to.
    pub permissions: PermissionSet,
}

/// Tells a caller who it is. Every credential may ask; the rest is in [`Caller::principal`].
pub async fn whoami(control: &Control, caller: &Caller) -> Result<WhoAmI, ControlError> {
    let principal = &caller.principal;
    let (user_id, refuse) =
        (principal.user_id, || ControlError::InvalidCredential(principal.credential.kind()));
    let usable = principal.usable_permissions();
    let permissions = usable.map_err(|err| ControlError::Unavailable(Box::new(err)))?;
    let mut uow = control.store().read().await?;
    let user = uow.organizations().find_user(user_id).await?.ok_or_else(refuse)?;
    let places = match principal.credential {
        Credential::Session { .. } => uow.organizations().memberships_of(user_id).await?,
        Credential::ApiKey { .. } | Credential::Token { .. } => {
            let (organization_id, role) = (principal.organization_id, principal.role);
            vec![Membership { organization_id, user_id, role }]
        }
    };
    let mut organizations = Vec::with_capacity(places.len());
    for Membership { organization_id, role, .. } in places {
        if let Some(organization) = uow.organizations().find(organization_id).await? {
            organizations.push((organization, role));
        }
    }
    if organizations.is_empty() {
        Err(refuse())
    } else {
        Ok(WhoAmI { user, organizations, permissions })
    }
}
