//! Use cases on invitations.

mod accept;
mod look;

pub(crate) use self::accept::{find, find_open, let_in, not_the_addressee};
pub use self::{
    accept::{Registration, accept_invitation, register_by_invitation},
    look::{AcceptedBy, Invited, look_at_invitation},
};

use windlass_auth::{
    InvitationId, InvitationRecord, InvitationState, MemberRefusal, MintedInvitation,
    NewInvitation, Permission, Target, check_admission,
};
use windlass_domain::{OrganizationId, Page, PageRequest};
use windlass_storage::UnitOfWork;

use crate::{Caller, Control, ControlError, member::hold, organization::within};

/// Invites somebody, and takes the place of an invitation that waits for the same address.
///
/// There is nobody here who sends letters: whoever invites hands the secret on.
pub async fn create_invitation(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    new: NewInvitation,
) -> Result<MintedInvitation, ControlError> {
    let mut uow = control.store().write().await?;
    let caller = hold(&mut *uow, caller, organization).await?;
    let grant = caller.may(Permission::MembersWrite, Target::organization(organization))?;
    check_admission(&caller.principal, new.role).map_err(|err| caller.note_refusal(err.into()))?;
    let account = uow.accounts().find_by_email_of_everyone(&new.email).await?;
    if let Some(account) = account
        && uow.organizations().role_of(organization, account.user.id).await?.is_some()
    {
        return Err(already_a_member());
    }
    let waiting = uow.invitations().find_pending(organization, &new.email).await?;
    if let Some(old) = waiting {
        revoke(control, &mut *uow, &caller, old).await?;
    }
    let minted = new.mint(organization, caller.principal.user_id, control.fx());
    uow.invitations().insert(&minted.record).await?;
    control.write_down(&mut *uow, caller.did(grant, minted.record.id)).await?;
    uow.commit().await?;

    tracing::info!(invitation.id = %minted.record.id, "somebody invited");
    Ok(minted)
}

/// Lists an organization's invitations, newest first; never their secrets.
pub async fn list_invitations(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    page: PageRequest<InvitationId>,
) -> Result<Page<InvitationRecord>, ControlError> {
    let mut uow = control.store().read().await?;
    let caller = within(&mut *uow, caller, organization).await?;
    caller.may_read(Permission::MembersRead, Target::organization(organization))?;
    Ok(uow.invitations().list(organization, page).await?)
}

/// Takes an invitation back. Doing that twice changes nothing; one that was accepted is beyond it.
pub async fn revoke_invitation(
    control: &Control,
    caller: &Caller,
    organization: OrganizationId,
    id: InvitationId,
) -> Result<(), ControlError> {
    let mut uow = control.store().write().await?;
    let caller = hold(&mut *uow, caller, organization).await?;
    let grant = caller.may(Permission::MembersWrite, Target::organization(organization))?;
    let invitation = uow.invitations().find(organization, id).await?;
    let invitation = invitation.ok_or_else(not_there)?;
    match invitation.state {
        InvitationState::Revoked { .. } => Ok(()),
        InvitationState::Accepted { .. } => {
            let message = "it was accepted: remove the member instead";
            Err(ControlError::conflict("invitation_accepted", message))
        }
        InvitationState::Pending => {
            revoke(control, &mut *uow, &caller, invitation).await?;
            control.write_down(&mut *uow, caller.did(grant, id)).await?;
            uow.commit().await?;
            tracing::info!(invitation.id = %id, "invitation revoked");
            Ok(())
        }
    }
}

/// Revokes one that waits; nobody does that to what somebody above them has offered.
async fn revoke(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    caller: &Caller,
    invitation: InvitationRecord,
) -> Result<(), ControlError> {
    if !caller.principal.role.may_grant(invitation.role) {
        return Err(caller.note_refusal(MemberRefusal::Above.into()));
    }
    let at = control.fx().clock.now();
    let state = InvitationState::Revoked { at };
    uow.invitations().update(&InvitationRecord { state, ..invitation }).await?;
    Ok(())
}

fn not_there() -> ControlError {
    ControlError::NotFound("invitation")
}

/// What was accepted, revoked or replaced is worth as little as what never was, and no more is told.
fn worthless() -> ControlError {
    let message = "is no invitation, or one that is worth nothing any more".to_owned();
    ControlError::Invalid { field: "token", message }
}

fn already_a_member() -> ControlError {
    ControlError::conflict("already_a_member", "whoever has this address is a member already")
}
