//! From an e-mail address and a password to a session.

use secrecy::SecretString;
use windlass_auth::{
    Actor, AuditObject, PasswordHash, PasswordVerdict, PlainPassword, PlainSession, SessionId,
    SessionKeys, SessionRecord, sign_session,
};
use windlass_domain::{EmailAddress, UserId, is_unprintable};
use windlass_storage::{Account, UnitOfWork};

use crate::{Control, ControlError, Occasion, audit::Deed};

/// Most characters that are kept of how a client describes itself.
const MOST_OF_USER_AGENT: usize = 200;

/// Somebody who wants to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// Who they say they are.
    pub email: EmailAddress,
    /// What only they know.
    pub password: SecretString,
    /// The browser.
    pub browser: Browser,
}

/// Where a session begins.
#[derive(Debug, Clone)]
pub struct Browser {
    /// How it describes itself.
    pub user_agent: String,
    /// The request.
    pub occasion: Occasion,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct SignedIn {
    /// What is stored of it.
    pub session: SessionRecord,
    /// What the browser is to keep.
    pub cookie: PlainSession,
}

/// Begins a session for whoever knows the password of an account. Whether there is such an account
/// is not told, nor can it be seen from the time that the answer takes.
pub async fn sign_in(control: &Control, attempt: SignIn) -> Result<SignedIn, ControlError> {
    let SignIn { email, password, browser } = attempt;
    let now = control.fx().clock.now();
    let counted = control.inner.attempts.begin(email.as_str(), browser.occasion.address, now)?;
    let account = {
        let mut uow = control.store().read().await?;
        uow.accounts().find_by_email_of_everyone(&email).await?
    };
    let checked = control.check_password(account, password).await;
    if let Err(ControlError::WrongPassword) = checked {
        // Whether there is such an account makes no difference here either.
        control.inner.refusals.note_stranger(&browser.occasion);
    }
    let (user, checked) = checked?;
    let signed_in = control.begin_session(user, Some(checked), browser).await?;
    counted.forgive();
    Ok(signed_in)
}

/// A password that was found to be right, and what is to be stored of it from now on.
pub(crate) struct CheckedPassword {
    pub(super) stored: PasswordHash,
    upgraded: Option<PasswordHash>,
}

impl Control {
    /// Makes sure that somebody knows the password of an account, if there is one.
    pub(crate) async fn check_password(
        &self,
        account: Option<Account>,
        password: SecretString,
    ) -> Result<(UserId, CheckedPassword), ControlError> {
        // What has not the length of a password is nobody's.
        let password = PlainPassword::new(password).map_err(|_| ControlError::WrongPassword)?;
        let (user, stored) = match account {
            Some(account) => (Some(account.user.id), account.password),
            None => (None, None),
        };
        let hasher = &self.inner.password_hasher;
        let verdict = hasher.verify(&password, stored.as_ref(), self.fx().entropy).await?;
        match (verdict, user, stored) {
            (PasswordVerdict::Right { upgraded }, Some(user), Some(stored)) => {
                Ok((user, CheckedPassword { stored, upgraded }))
            }
            _ => Err(ControlError::WrongPassword),
        }
    }

    /// Begins a session of a person, unless their password is another by now than the one that was
    /// checked.
    pub(crate) async fn begin_session(
        &self,
        user: UserId,
        checked: Option<CheckedPassword>,
        browser: Browser,
    ) -> Result<SignedIn, ControlError> {
        let keys = self.signing_keys().await?;
        let mut uow = self.store().write().await?;
        let account = uow.accounts().find_for_update(user).await?;
        let password = account.ok_or(ControlError::WrongPassword)?.password;
        if let Some(CheckedPassword { stored, upgraded }) = checked {
            if password.as_ref() != Some(&stored) {
                return Err(ControlError::WrongPassword);
            }
            if let Some(upgraded) = upgraded {
                uow.accounts().replace_hash(user, &stored, &upgraded).await?;
            }
        }
        let signed_in = self.insert_session(&mut *uow, user, &browser, &keys).await?;
        uow.commit().await?;
        tracing::info!(session.id = %signed_in.session.id, user.id = %user, "signed in");
        Ok(signed_in)
    }

    /// Adds a session, and its line in the log of the person's first organization.
    pub(super) async fn insert_session(
        &self,
        uow: &mut dyn UnitOfWork,
        user: UserId,
        browser: &Browser,
        keys: &SessionKeys,
    ) -> Result<SignedIn, ControlError> {
        let places = uow.organizations().memberships_of(user).await?;
        let first = places.first().ok_or(ControlError::NoOrganization)?.organization_id;
        let now = self.fx().clock.now();
        let session = SessionRecord {
            id: SessionId::generate(self.fx()),
            user_id: user,
            created_at: now,
            expires_at: now + self.settings().session_life,
            last_seen_at: now,
            user_agent: legible(&browser.user_agent),
            address: browser.occasion.address,
        };
        uow.sessions().insert(&session).await?;
        let (actor, object) = (Actor::Person(user), AuditObject::new(session.id));
        let deed = Deed::on(&browser.occasion, first, Some(actor), Some(object));
        self.write_down(uow, deed).await?;
        let cookie =
            sign_session(&session, keys).map_err(|err| ControlError::Internal(Box::new(err)))?;
        Ok(SignedIn { session, cookie })
    }
}

fn legible(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !is_unprintable(*c)).take(MOST_OF_USER_AGENT).collect()
}
