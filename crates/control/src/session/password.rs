//! Another password.

use secrecy::SecretString;
use windlass_auth::PlainPassword;
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError};

/// Another password for oneself.
#[derive(Debug)]
pub struct ChangePassword {
    /// The one so far.
    pub current: SecretString,
    /// The one from now on.
    pub new: PlainPassword,
}

/// Changes the caller's own password, and ends all their other sessions: whoever had found the old
/// one out is out again.
pub async fn change_password(
    control: &Control,
    caller: &Caller,
    change: ChangePassword,
) -> Result<(), ControlError> {
    let (session, user) = (caller.session()?, caller.principal.user_id);
    let fx = control.fx();
    let account = control.store().read().await?.accounts().find(user).await?;
    let key = user.to_string();
    let counted = control.inner.attempts.begin(&key, caller.occasion.address, fx.clock.now())?;
    let checked = control.check_password(account, change.current).await;
    if let Err(ControlError::WrongPassword) = checked {
        let message = "is not your password".to_owned();
        return Err(ControlError::Invalid { field: "current_password", message });
    }
    let (_, checked) = checked?;
    counted.forgive();
    let new = control.inner.password_hasher.hash(&change.new, fx.entropy).await?;

    let mut uow = control.store().write().await?;
    let account = uow.accounts().find_for_update(user).await?;
    if account.and_then(|account| account.password).as_ref() != Some(&checked.stored) {
        return Err(ControlError::Changed);
    }
    uow.accounts().set_password(user, &new, fx.clock.now()).await?;
    uow.sessions().delete_others(user, Some(session)).await?;
    control.write_down(&mut *uow, caller.did_freely(user)).await?;
    uow.signal(Signal::Sessions(user));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.inner.sessions.forget_sessions_of(user);
    tracing::info!(user.id = %user, "password changed");
    Ok(())
}
