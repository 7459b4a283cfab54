//! Use cases on sign-in and sessions.

mod attempts;
mod authenticate;
mod elsewhere;
mod password;
mod set_up;
mod sign_in;

pub use self::{
    attempts::AttemptLimits,
    elsewhere::{Departed, Departure, Return, Returned, begin_github_sign_in, sign_in_with_github},
    password::{ChangePassword, change_password},
    set_up::{SetUp, SetUpFor, offer_set_up, set_up},
    sign_in::{Browser, SignIn, SignedIn, sign_in},
};
pub(crate) use self::{attempts::Attempts, authenticate::StoreSessionDirectory, elsewhere::Spent};

use windlass_auth::{SessionId, SessionRecord};
use windlass_domain::{Page, PageRequest};
use windlass_storage::Signal;

use crate::{Caller, Control, ControlError};

/// Ends the session with which the caller asks for it.
pub async fn sign_out(control: &Control, caller: &Caller) -> Result<(), ControlError> {
    end_session(control, caller, caller.session()?).await
}

/// Lists the caller's own sessions, newest first.
pub async fn list_sessions(
    control: &Control,
    caller: &Caller,
    page: PageRequest<SessionId>,
) -> Result<Page<SessionRecord>, ControlError> {
    caller.session()?;
    let mut uow = control.store().read().await?;
    Ok(uow.sessions().list(caller.principal.user_id, page).await?)
}

/// Ends one of the caller's own sessions.
pub async fn end_session(
    control: &Control,
    caller: &Caller,
    id: SessionId,
) -> Result<(), ControlError> {
    caller.session()?;
    let user = caller.principal.user_id;
    let mut uow = control.store().write().await?;
    if !uow.sessions().delete(user, id).await? {
        return Err(ControlError::NotFound("session"));
    }
    control.write_down(&mut *uow, caller.did_freely(id)).await?;
    uow.signal(Signal::Sessions(user));
    uow.commit().await?;
    // The signal tells everybody; this server need not wait for it.
    control.inner.sessions.forget(id);
    tracing::info!(session.id = %id, "session ended");
    Ok(())
}

impl Caller {
    /// The session of a caller who has signed in. Keys and tokens do not stand for the person
    /// whose they are.
    pub(crate) fn session(&self) -> Result<SessionId, ControlError> {
        self.principal.credential.session_id().ok_or(ControlError::NeedsSession)
    }
}
