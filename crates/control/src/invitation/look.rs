//! What is told of an invitation before it is accepted.

use windlass_auth::Role;
use windlass_domain::{EmailAddress, Organization};

use super::accept;
use crate::{Caller, Control, ControlError};

/// An invitation that is still worth something, as its addressee sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// Where it leads.
    pub organization: Organization,
    /// What they are going to be there.
    pub role: Role,
    /// For whom it is.
    pub email: EmailAddress,
    /// With what they can accept it.
    pub by: AcceptedBy,
}

/// With what an invitation can be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedBy {
    /// The session that they have.
    Session,
    /// The password of their account.
    Password,
    /// A password that their new account gets.
    NewPassword,
    /// A sign-in by somebody else's account, since theirs has no password.
    Elsewhere,
}

/// Shows an invitation to whoever has its secret, unless they have signed in as somebody else: it is
/// for its addressee alone. Changes nothing.
pub async fn look_at_invitation(
    control: &Control,
    caller: Option<&Caller>,
    secret: &str,
) -> Result<Invited, ControlError> {
    let mut uow = control.store().read().await?;
    let invitation = accept::find(control, &mut *uow, secret).await?;
    let account = uow.accounts().find_by_email_of_everyone(&invitation.email).await?;
    let addressee = account.as_ref().map(|account| account.user.id);
    let by = match (caller, account) {
        (Some(caller), _) if Some(caller.principal.user_id) == addressee => AcceptedBy::Session,
        (Some(_), _) => return Err(accept::not_the_addressee()),
        (None, None) => AcceptedBy::NewPassword,
        (None, Some(account)) if account.password.is_none() => AcceptedBy::Elsewhere,
        (None, Some(_)) => AcceptedBy::Password,
    };
    let organization = uow.organizations().find(invitation.organization_id).await?;
    let organization = organization.ok_or_else(super::worthless)?;
    Ok(Invited { organization, role: invitation.role, email: invitation.email, by })
}
