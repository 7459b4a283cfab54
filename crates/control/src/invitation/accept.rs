//! Accepting an invitation.

use windlass_auth::{
    Actor, AuditObject, InvitationHash, InvitationRecord, InvitationState, Membership,
    PlainPassword,
};
use windlass_domain::{Name, User};
use windlass_storage::{Signal, StoreError, UnitOfWork};

use super::{already_a_member, worthless};
use crate::{Belonging, Caller, Control, ControlError, Occasion, audit::Deed};

/// What somebody says of themselves who accepts an invitation and has no account.
#[derive(Debug)]
pub struct Registration {
    /// How they are called.
    pub name: Name,
    /// With what they are going to sign in, beside the address that was invited.
    pub password: PlainPassword,
}

/// Lets somebody in who has signed in and whose address was invited. Whoever else presents the
/// secret changes nothing: it stays good for its addressee.
pub async fn accept_invitation(
    control: &Control,
    caller: &Caller,
    secret: &str,
) -> Result<Belonging, ControlError> {
    if !caller.has_signed_in() {
        let message = "only a person who has signed in accepts invitations, no key or token";
        return Err(caller.note_refusal(ControlError::refused("session_required", message)));
    }
    let mut uow = control.store().write().await?;
    let invitation = find_open(control, &mut *uow, secret).await?;
    let account = uow.accounts().find(caller.principal.user_id).await?;
    let user = account.map(|account| account.user);
    let Some(user) = user.filter(|user| user.email.as_ref() == Some(&invitation.email)) else {
        let message = "this invitation is for another e-mail address: sign in with that";
        return Err(caller.note_refusal(ControlError::refused("not_the_addressee", message)));
    };
    if uow.organizations().role_of(invitation.organization_id, user.id).await?.is_some() {
        return Err(already_a_member());
    }
    let actor = Actor::from(&*caller.principal);
    admit(control, uow, &caller.occasion, actor, invitation, user).await
}

/// Lets somebody in who has no account yet, and makes it: with the address that was invited, and no
/// other.
pub async fn register_by_invitation(
    control: &Control,
    occasion: &Occasion,
    secret: &str,
    registration: Registration,
) -> Result<Belonging, ControlError> {
    // Nobody has a password hashed without an invitation.
    let mut uow = control.store().read().await?;
    let invitation = find(control, &mut *uow, secret).await?;
    check_is_nobodys(&mut *uow, &invitation).await?;
    drop(uow);
    let Registration { name, password } = registration;
    // Hashing is slow work, so it comes before the unit of work.
    let password = control.inner.password_hasher.hash(&password, control.fx().entropy).await?;

    let mut uow = control.store().write().await?;
    let invitation = find_open(control, &mut *uow, secret).await?;
    check_is_nobodys(&mut *uow, &invitation).await?;
    let fx = control.fx();
    let user = User { email: Some(invitation.email.clone()), ..User::create(name, fx) };
    uow.organizations().insert_user(&user).await.map_err(|err| {
        // An invitation elsewhere was faster.
        if matches!(err, StoreError::Taken(_)) { has_an_account() } else { err.into() }
    })?;
    uow.accounts().set_password(user.id, &password, fx.clock.now()).await?;
    admit(control, uow, occasion, Actor::Person(user.id), invitation, user).await
}

/// Makes somebody a member, and the invitation one that was accepted.
async fn admit(
    control: &Control,
    mut uow: Box<dyn UnitOfWork>,
    occasion: &Occasion,
    actor: Actor,
    invitation: InvitationRecord,
    user: User,
) -> Result<Belonging, ControlError> {
    let InvitationRecord { id, organization_id, role, .. } = invitation;
    let membership = Membership { organization_id, user_id: user.id, role };
    uow.organizations().insert_membership(&membership).await?;
    let state = InvitationState::Accepted { by: user.id, at: control.fx().clock.now() };
    uow.invitations().update(&InvitationRecord { state, ..invitation }).await?;
    let organization = uow.organizations().find(organization_id).await?;
    let organization = organization.ok_or_else(worthless)?;
    let object = AuditObject::new(id);
    let deed = Deed::on(occasion, organization_id, Some(actor), Some(object));
    control.write_down(&mut *uow, deed).await?;
    uow.signal(Signal::Member(user.id));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.forget_credentials_of(user.id);

    tracing::info!(invitation.id = %id, user.id = %user.id, %role, "invitation accepted");
    Ok(Belonging { organization, role })
}

/// The invitation with this secret, in an organization that is held from now on.
async fn find_open(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    secret: &str,
) -> Result<InvitationRecord, ControlError> {
    let InvitationRecord { organization_id, .. } = find(control, uow, secret).await?;
    uow.organizations().find_for_update(organization_id).await?.ok_or_else(worthless)?;
    // It may have been accepted or revoked while this waited.
    find(control, uow, secret).await
}

/// The invitation with this secret, where it is still worth something: it waits for its addressee,
/// and whoever made it could do so now.
async fn find(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    secret: &str,
) -> Result<InvitationRecord, ControlError> {
    let hash = InvitationHash::of(secret);
    let found = uow.invitations().find_by_secret_of_everyone(&hash).await?;
    let now = control.fx().clock.now();
    let invitation = found.filter(|found| found.is_open(now)).ok_or_else(worthless)?;
    let InvitationRecord { organization_id, invited_by, role, .. } = invitation;
    let inviter = uow.organizations().role_of(organization_id, invited_by).await?;
    if inviter.is_some_and(|inviter| inviter.may_grant(role)) {
        Ok(invitation)
    } else {
        Err(worthless())
    }
}

async fn check_is_nobodys(
    uow: &mut dyn UnitOfWork,
    invitation: &InvitationRecord,
) -> Result<(), ControlError> {
    match uow.accounts().find_by_email_of_everyone(&invitation.email).await? {
        Some(_) => Err(has_an_account()),
        None => Ok(()),
    }
}

fn has_an_account() -> ControlError {
    let message = "there is an account with the invited address: sign in, and accept then";
    ControlError::conflict("has_an_account", message)
}
