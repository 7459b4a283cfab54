//! Accepting an invitation.

use secrecy::SecretString;
use windlass_auth::{
    Actor, AuditObject, InvitationRecord, InvitationState, Membership, OneTimeHash, PlainPassword,
};
use windlass_domain::{EmailAddress, Name, User};
use windlass_storage::{Account, Signal, StoreError, UnitOfWork};

use super::{already_a_member, worthless};
use crate::{Belonging, Caller, Control, ControlError, Occasion, audit::Deed};

/// What somebody says of themselves who accepts an invitation without having signed in.
#[derive(Debug)]
pub struct Registration {
    /// How they are called, where they have no account yet.
    pub name: Name,
    /// The password of their account, be it new or not.
    pub password: SecretString,
}

/// Lets somebody in who has signed in and whose address was invited. Whoever else presents the
/// secret changes nothing: it stays good for its addressee.
pub async fn accept_invitation(
    control: &Control,
    caller: &Caller,
    secret: &str,
) -> Result<Belonging, ControlError> {
    caller.session()?;
    let mut uow = control.store().write().await?;
    let invitation = find_open(control, &mut *uow, secret).await?;
    let account = uow.accounts().find(caller.principal.user_id).await?;
    let user = account.map(|account| account.user);
    let user = user.filter(|user| user.email.as_ref() == Some(&invitation.email));
    let user = user.ok_or_else(|| caller.note_refusal(not_the_addressee()))?;
    let actor = Actor::from(&*caller.principal);
    admit(control, uow, &caller.occasion, actor, invitation, user).await
}

/// Lets somebody in who has not signed in: makes them an account with the address that was invited,
/// and no other; where there is one, they have to know its password. (Whoever belongs nowhere any
/// more cannot sign in before they have accepted.)
pub async fn register_by_invitation(
    control: &Control,
    occasion: &Occasion,
    secret: &str,
    registration: Registration,
) -> Result<Belonging, ControlError> {
    let Registration { name, password } = registration;
    // Nobody has a password hashed without an invitation.
    let mut uow = control.store().read().await?;
    let InvitationRecord { email, .. } = find(control, &mut *uow, secret).await?;
    let account = uow.accounts().find_by_email_of_everyone(&email).await?;
    drop(uow);
    match account {
        Some(account) => come_back(control, occasion, secret, account, password).await,
        None => come_in(control, occasion, secret, name, password).await,
    }
}

/// Lets somebody in who has an account.
async fn come_back(
    control: &Control,
    occasion: &Occasion,
    secret: &str,
    account: Account,
    password: SecretString,
) -> Result<Belonging, ControlError> {
    let user = account.user.clone();
    let named = user.email.as_ref().map(EmailAddress::as_str).unwrap_or_default();
    let now = control.fx().clock.now();
    let counted = control.inner.attempts.begin(named, occasion.address, now)?;
    control.check_password(Some(account), password).await?;
    counted.forgive();

    let mut uow = control.store().write().await?;
    let invitation = find_open(control, &mut *uow, secret).await?;
    admit(control, uow, occasion, Actor::Person(user.id), invitation, user).await
}

/// Lets somebody in who is new here.
async fn come_in(
    control: &Control,
    occasion: &Occasion,
    secret: &str,
    name: Name,
    password: SecretString,
) -> Result<Belonging, ControlError> {
    let fx = control.fx();
    let password = PlainPassword::new(password)
        .map_err(|err| ControlError::Invalid { field: "password", message: err.to_string() })?;
    // Hashing is slow work, so it comes before the unit of work.
    let password = control.inner.password_hasher.hash(&password, fx.entropy).await?;

    let mut uow = control.store().write().await?;
    let invitation = find_open(control, &mut *uow, secret).await?;
    let user = User { email: Some(invitation.email.clone()), ..User::create(name, fx) };
    uow.organizations().insert_user(&user).await.map_err(|err| {
        // An invitation elsewhere was faster.
        if matches!(err, StoreError::Taken(_)) { has_an_account() } else { err.into() }
    })?;
    uow.accounts().set_password(user.id, &password, fx.clock.now()).await?;
    admit(control, uow, occasion, Actor::Person(user.id), invitation, user).await
}

/// Makes somebody a member for good.
async fn admit(
    control: &Control,
    mut uow: Box<dyn UnitOfWork>,
    occasion: &Occasion,
    actor: Actor,
    invitation: InvitationRecord,
    user: User,
) -> Result<Belonging, ControlError> {
    let id = invitation.id;
    let belonging = let_in(control, &mut *uow, occasion, actor, invitation, &user).await?;
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.forget_credentials_of(user.id);

    tracing::info!(invitation.id = %id, user.id = %user.id, role = %belonging.role, "invitation accepted");
    Ok(belonging)
}

/// Makes its addressee a member, and the invitation one that was accepted.
pub(crate) async fn let_in(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    occasion: &Occasion,
    actor: Actor,
    invitation: InvitationRecord,
    user: &User,
) -> Result<Belonging, ControlError> {
    let InvitationRecord { id, organization_id, role, .. } = invitation;
    if user.email.as_ref() != Some(&invitation.email) {
        return Err(not_the_addressee());
    }
    if uow.organizations().role_of(organization_id, user.id).await?.is_some() {
        return Err(already_a_member());
    }
    let membership = Membership { organization_id, user_id: user.id, role };
    uow.organizations().insert_membership(&membership).await?;
    let state = InvitationState::Accepted { by: user.id, at: control.fx().clock.now() };
    uow.invitations().update(&InvitationRecord { state, ..invitation }).await?;
    let organization = uow.organizations().find(organization_id).await?;
    let organization = organization.ok_or_else(worthless)?;
    let object = AuditObject::new(id);
    let deed = Deed::on(occasion, organization_id, Some(actor), Some(object));
    control.write_down(uow, deed).await?;
    uow.signal(Signal::Member(user.id));
    Ok(Belonging { organization, role })
}

/// The invitation with this secret, in an organization that is held from now on.
pub(crate) async fn find_open(
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
pub(crate) async fn find(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    secret: &str,
) -> Result<InvitationRecord, ControlError> {
    let hash = OneTimeHash::of(secret);
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

pub(crate) fn not_the_addressee() -> ControlError {
    let message = "this invitation is for another e-mail address: sign in with that";
    ControlError::refused("not_the_addressee", message)
}

fn has_an_account() -> ControlError {
    let message = "there is an account with this address by now: try again, with its password";
    ControlError::conflict("has_an_account", message)
}
