//! How a person claims the account of the first owner.

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use windlass_auth::{OneTimeHash, OneTimeSecret, PlainPassword};
use windlass_domain::{Effects, EmailAddress, Name, User, UserId};
use windlass_storage::{Account, Signal, Store, StoreError, UnitOfWork};

use super::{Browser, SignedIn};
use crate::{Control, ControlError};

/// How long a link works.
const LIFE: TimeDelta = TimeDelta::hours(1);

/// Somebody who claims the account.
#[derive(Debug)]
pub struct SetUp {
    /// What makes it theirs.
    pub secret: SecretString,
    /// What they are going to sign in with.
    pub email: EmailAddress,
    /// How they are called.
    pub name: Name,
    /// What they are going to sign in with.
    pub password: PlainPassword,
    /// The browser.
    pub browser: Browser,
}

/// For whom a link is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUpFor {
    /// An owner who cannot sign in yet, if there is one.
    Newcomer,
    /// The first owner, who may have forgotten everything.
    Anybody,
}

/// Makes the secret of a link with which a person claims the account of the first owner, for an
/// hour and for once. Those that were made before are worth nothing from now on.
pub async fn offer_set_up(
    store: &dyn Store,
    fx: Effects<'_>,
    whom: SetUpFor,
) -> Result<Option<OneTimeSecret>, ControlError> {
    let mut uow = store.write().await?;
    let Some(owner) = first_owner(&mut *uow).await? else { return Ok(None) };
    let account = uow.accounts().find_for_update(owner).await?;
    let is_known = !uow.accounts().identities_of(owner).await?.is_empty();
    if whom == SetUpFor::Newcomer && (is_known || account.as_ref().is_some_and(can_sign_in)) {
        return Ok(None);
    }
    let secret = OneTimeSecret::for_set_up(fx.entropy);
    uow.accounts().put_setup_link(owner, &secret.hash(), fx.clock.now() + LIFE).await?;
    uow.commit().await?;
    Ok(Some(secret))
}

/// Gives the owner's account to whoever has the link, and begins a session. All sessions of before
/// end, and whoever was known by it elsewhere is not any more.
pub async fn set_up(control: &Control, claim: SetUp) -> Result<SignedIn, ControlError> {
    let SetUp { secret, email, name, password, browser } = claim;
    let fx = control.fx();
    let counted =
        control.inner.attempts.begin("set-up", browser.occasion.address, fx.clock.now())?;
    let hash = OneTimeHash::of(secret.expose_secret());
    let found = {
        let mut uow = control.store().read().await?;
        uow.accounts().find_setup_link(&hash, fx.clock.now()).await?
    };
    if found.is_none() {
        control.inner.refusals.note_stranger(&browser.occasion);
        return Err(refuse());
    }
    let password = control.inner.password_hasher.hash(&password, fx.entropy).await?;

    let mut uow = control.store().write().await?;
    let owner = uow.accounts().take_setup_link(&hash, fx.clock.now()).await?.ok_or_else(refuse)?;
    let account = uow.accounts().find_for_update(owner).await?.ok_or_else(refuse)?;
    let user = User { name, email: Some(email), ..account.user };
    match uow.accounts().update_user(&user).await {
        Err(StoreError::Taken(_)) => {
            let message = "is somebody else's".to_owned();
            return Err(ControlError::Invalid { field: "email", message });
        }
        updated => updated?,
    }
    uow.accounts().set_password(owner, &password, fx.clock.now()).await?;
    uow.accounts().remove_identities_of(owner).await?;
    uow.sessions().delete_others(owner, None).await?;
    uow.signal(Signal::Sessions(owner));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.inner.sessions.forget_sessions_of(owner);
    tracing::info!(user.id = %owner, "owner's account claimed");
    let signed_in = control.begin_session(owner, None, browser).await?;
    counted.forgive();
    Ok(signed_in)
}

async fn first_owner(uow: &mut dyn UnitOfWork) -> Result<Option<UserId>, StoreError> {
    let first = uow.organizations().first_of_everyone().await?;
    match first {
        Some(organization) => uow.organizations().first_owner(organization.id).await,
        None => Ok(None),
    }
}

fn can_sign_in(account: &Account) -> bool {
    account.user.email.is_some() && account.password.is_some()
}

fn refuse() -> ControlError {
    let message = "this link does not work (any more): `windlass-server admin set-up-link` prints \
                   a new one, and so does each start of the server until the owner can sign in";
    ControlError::refused("invalid_link", message)
}
