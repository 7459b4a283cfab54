//! Tells a caller who it is.

use windlass_domain::{Organization, User};

use crate::{Caller, Control, ControlError};

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoAmI {
    /// The person, or the one on whose behalf a key acts.
    pub user: User,
    /// The tenant of the credential.
    pub organization: Organization,
}

/// Tells a caller who it is. Every credential may ask; the rest is in [`Caller::principal`].
pub async fn whoami(control: &Control, caller: &Caller) -> Result<WhoAmI, ControlError> {
    let principal = &caller.principal;
    let mut uow = control.store().read().await?;
    let organization = uow.organizations().find(principal.organization_id).await?;
    let user = uow.organizations().find_user(principal.user_id).await?;
    match (user, organization) {
        (Some(user), Some(organization)) => Ok(WhoAmI { user, organization }),
        _ => Err(ControlError::InvalidCredential(principal.credential.kind())),
    }
}
