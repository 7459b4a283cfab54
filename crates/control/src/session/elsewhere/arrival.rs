//! Which account somebody has who is known elsewhere.

use secrecy::{ExposeSecret as _, SecretString};
use windlass_auth::{
    Actor, AuditObject, ExternalIdentity, InvitationRecord, KnownElsewhere, Membership,
};
use windlass_domain::{EmailAddress, OrganizationId, User, UserId};
use windlass_storage::{Account, Signal, StoreError, UnitOfWork};

use super::super::{Browser, SignedIn};
use crate::{Control, ControlError, Occasion, audit::Deed, invitation};

/// Somebody who is known elsewhere, and what they want.
pub(super) struct Arrival {
    pub(super) known: KnownElsewhere,
    /// The secret of an invitation that they want to accept.
    pub(super) invitation: Option<SecretString>,
    /// Whether they want an account whose password they do not say.
    pub(super) take_over: bool,
    /// Who has signed in in the same browser.
    pub(super) whose_session: Option<UserId>,
}

/// Whose account it is, and what was done to make it so.
struct Recognised {
    user: User,
    is_linked: bool,
    is_taken_over: bool,
}

impl Arrival {
    /// Begins a session in the account that is theirs. All of it happens, or nothing.
    pub(super) async fn sign_in(
        self,
        control: &Control,
        browser: &Browser,
    ) -> Result<SignedIn, ControlError> {
        let keys = control.signing_keys().await?;
        let mut uow = control.store().write().await?;
        let invitation = self.hold(control, &mut *uow).await?;
        let occasion = &browser.occasion;
        let recognised = self.recognise(control, &mut *uow, invitation.as_ref(), occasion).await?;
        let Recognised { user, is_linked, is_taken_over } = recognised;
        let has_come_in = invitation.is_some();
        if let Some(invitation) = invitation {
            let accepting = Occasion { action: "accept_invitation".into(), ..occasion.clone() };
            let actor = Actor::Person(user.id);
            invitation::let_in(control, &mut *uow, &accepting, actor, invitation, &user).await?;
        }
        let signed_in = control.insert_session(&mut *uow, user.id, browser, &keys).await?;
        if is_linked {
            let linking = Occasion { action: "link_github".into(), ..occasion.clone() };
            let places = uow.organizations().memberships_of(user.id).await?;
            let place = places.first().ok_or(ControlError::NoOrganization)?.organization_id;
            control.write_down(&mut *uow, deed(&linking, place, user.id)).await?;
        }
        uow.commit().await?;
        // The signals tell everybody; this server need not wait for them.
        if is_taken_over || has_come_in {
            control.forget_credentials_of(user.id);
        }
        tracing::info!(
            session.id = %signed_in.session.id, user.id = %user.id, is_linked, is_taken_over, has_come_in,
            "signed in with GitHub"
        );
        Ok(signed_in)
    }

    /// Holds the organizations in which something is about to change, all of them before the
    /// person; and finds the invitation.
    async fn hold(
        &self,
        control: &Control,
        uow: &mut dyn UnitOfWork,
    ) -> Result<Option<InvitationRecord>, ControlError> {
        let secret = self.invitation.as_ref().map(SecretString::expose_secret);
        let mut organizations = Vec::new();
        if let Some(secret) = secret {
            organizations.push(invitation::find(control, uow, secret).await?.organization_id);
        }
        if let Some(email) = self.known.email.as_ref().filter(|_| self.take_over) {
            let account = uow.accounts().find_by_email_of_everyone(email).await?;
            if let Some(account) = account {
                organizations.extend(places_of(uow, account.user.id).await?);
            }
        }
        organizations.sort();
        organizations.dedup();
        for organization in organizations {
            uow.organizations().find_for_update(organization).await?;
        }
        match secret {
            Some(secret) => Ok(Some(invitation::find_open(control, uow, secret).await?)),
            None => Ok(None),
        }
    }

    async fn recognise(
        &self,
        control: &Control,
        uow: &mut dyn UnitOfWork,
        invitation: Option<&InvitationRecord>,
        occasion: &Occasion,
    ) -> Result<Recognised, ControlError> {
        let identity = &self.known.identity;
        if let Some(user) = known_by(uow, identity).await? {
            return Ok(Recognised { user, is_linked: false, is_taken_over: false });
        }
        let email = self.known.email.as_ref().ok_or_else(unverified)?;
        let account = uow.accounts().find_by_email_of_everyone(email).await?;
        let (user, is_taken_over) = match account {
            Some(account) => self.link(control, uow, account, email, occasion).await?,
            None => (self.register(control, uow, invitation, email).await?, false),
        };
        let now = control.fx().clock.now();
        uow.accounts().insert_identity(user.id, identity, now).await.map_err(too_late)?;
        Ok(Recognised { user, is_linked: true, is_taken_over })
    }

    /// The account that has the address, which is theirs now if it was not; and whether it was taken
    /// over.
    async fn link(
        &self,
        control: &Control,
        uow: &mut dyn UnitOfWork,
        account: Account,
        email: &EmailAddress,
        occasion: &Occasion,
    ) -> Result<(User, bool), ControlError> {
        let places = places_of(uow, account.user.id).await?;
        let account = uow.accounts().find_for_update(account.user.id).await?;
        let account = account.ok_or(ControlError::Changed)?;
        let Account { user, password } = account;
        if user.email.as_ref() != Some(email) || places_of(uow, user.id).await? != places {
            return Err(ControlError::Changed);
        }
        if !uow.accounts().identities_of(user.id).await?.is_empty() {
            let message = "the account with this e-mail address belongs to another GitHub account: \
                           sign in with that";
            return Err(ControlError::refused("known_otherwise", message));
        }
        // Without a password nobody can be in it; and whoever shows both is who they say they are.
        if password.is_none() || self.whose_session == Some(user.id) {
            return Ok((user, false));
        }
        if !self.take_over {
            let message = "there is an account with your e-mail address, and it has a password: \
                           sign in with that first and then with GitHub, and both are yours. If you \
                           do not know the password, you can take the account over: that ends its \
                           password, sessions, API keys and tokens, whoever has made them";
            return Err(ControlError::refused("account_has_password", message));
        }
        take_over(control, uow, user.id, &places, occasion).await?;
        Ok((user, true))
    }

    /// A new account for somebody who was invited.
    async fn register(
        &self,
        control: &Control,
        uow: &mut dyn UnitOfWork,
        invitation: Option<&InvitationRecord>,
        email: &EmailAddress,
    ) -> Result<User, ControlError> {
        let Some(invitation) = invitation else {
            let message = "nobody here is known by this GitHub account: ask for an invitation to \
                           its primary e-mail address, open its link and accept it with GitHub";
            return Err(ControlError::refused("unknown_account", message));
        };
        if invitation.email != *email {
            return Err(invitation::not_the_addressee());
        }
        let new = User::create(self.known.name.clone(), control.fx());
        let user = User { email: Some(email.clone()), ..new };
        uow.organizations().insert_user(&user).await.map_err(too_late)?;
        Ok(user)
    }
}

/// Takes everything from whoever may have had an account: it is now of whom its address is.
async fn take_over(
    control: &Control,
    uow: &mut dyn UnitOfWork,
    user: UserId,
    places: &[OrganizationId],
    occasion: &Occasion,
) -> Result<(), ControlError> {
    let now = control.fx().clock.now();
    let taking = Occasion { action: "take_over_account".into(), ..occasion.clone() };
    uow.accounts().remove_password(user).await?;
    uow.sessions().delete_others(user, None).await?;
    uow.login_codes().remove_all_of(user).await?;
    for place in places.iter().copied() {
        uow.api_keys().revoke_all_of(place, user, now).await?;
        uow.tokens().revoke_all_of(place, user, now).await?;
        uow.invitations().revoke_all_of(place, user, None, now).await?;
        control.write_down(uow, deed(&taking, place, user)).await?;
    }
    uow.signal(Signal::Sessions(user));
    uow.signal(Signal::Member(user));
    Ok(())
}

/// The account of whoever is known by this, held from now on.
async fn known_by(
    uow: &mut dyn UnitOfWork,
    identity: &ExternalIdentity,
) -> Result<Option<User>, StoreError> {
    let Some(found) = uow.accounts().find_by_identity_of_everyone(identity).await? else {
        return Ok(None);
    };
    uow.accounts().find_for_update(found.user.id).await?;
    // It may have been taken from them while this waited.
    let found = uow.accounts().find_by_identity_of_everyone(identity).await?;
    Ok(found.map(|account| account.user))
}

/// Where somebody belongs.
async fn places_of(
    uow: &mut dyn UnitOfWork,
    user: UserId,
) -> Result<Vec<OrganizationId>, StoreError> {
    let places = uow.organizations().memberships_of(user).await?;
    Ok(places.iter().map(|Membership { organization_id, .. }| *organization_id).collect())
}

fn deed(occasion: &Occasion, place: OrganizationId, user: UserId) -> Deed {
    Deed::on(occasion, place, Some(Actor::Person(user)), Some(AuditObject::new(user)))
}

/// Somebody else, or the same person in another browser, was faster.
fn too_late(err: StoreError) -> ControlError {
    if matches!(err, StoreError::Taken(_)) { ControlError::Changed } else { err.into() }
}

pub(super) fn unverified() -> ControlError {
    let message = "GitHub has not verified the primary e-mail address of your account there: verify \
                   it in GitHub's settings, and sign in again";
    ControlError::refused("unverified_email", message)
}
