//! Signing in with what somebody is known by elsewhere: a browser's way to GitHub and back.

mod arrival;
mod keepsake;
mod spent;

pub(crate) use self::spent::Spent;

use chrono::TimeDelta;
use secrecy::SecretString;
use windlass_auth::{Detour, IdentityService, IdentityServiceError};
use windlass_domain::{UserId, is_unprintable};

use self::keepsake::Keepsake;
use super::{Browser, SignedIn};
use crate::{Control, ControlError};

/// How long somebody may be away.
const LIFE: TimeDelta = TimeDelta::minutes(10);
/// Most characters of a reason that are logged.
const MOST_OF_REASON: usize = 100;

/// Somebody who wants to sign in elsewhere.
pub struct Departure {
    /// Where the browser is to be sent back to.
    pub redirect_uri: String,
    /// Where the person wants to go afterwards. It comes back as it is.
    pub next: String,
    /// The secret of an invitation that they want to accept.
    pub invitation: Option<SecretString>,
    /// Whether an account with a password may become theirs whose password they do not say: see
    /// [`sign_in_with_github`]. That they want this turns out when they come back for the first
    /// time: they set out anew for what they wanted then.
    pub take_over: bool,
    /// What the browser has kept so far.
    pub kept: Option<SecretString>,
}

/// A browser that is sent on its way.
#[derive(Debug)]
pub struct Departed {
    /// Where to.
    pub address: String,
    /// What it is to keep until it comes back: sealed, and good for a browser that has it alone.
    pub kept: SecretString,
    /// How long that is good for.
    pub life: TimeDelta,
}

/// A browser that has come back.
pub struct Return {
    /// What it has kept.
    pub kept: Option<SecretString>,
    /// What it was sent back with.
    pub state: String,
    /// What GitHub says of the person, in a form that only this server can redeem.
    pub code: Option<SecretString>,
    /// Or why it says nothing.
    pub error: Option<String>,
    /// The session that the browser presents.
    pub session: Option<SecretString>,
    /// The browser.
    pub browser: Browser,
}

/// Somebody who has come back, and is signed in.
pub struct Returned {
    /// Their session.
    pub signed_in: SignedIn,
    /// Where they wanted to go.
    pub next: String,
}

impl Control {
    /// Whether people can sign in with GitHub here.
    #[must_use]
    pub fn knows_github(&self) -> bool {
        self.inner.github.is_some()
    }

    fn github(&self) -> Result<&dyn IdentityService, ControlError> {
        let message = "sign-in with GitHub is not set up on this server: whoever runs it names \
                       `client_id` and `client_secret` in the section `[github]` of its \
                       configuration";
        self.inner.github.as_deref().ok_or(ControlError::NotSetUp(message))
    }
}

/// Sends a browser to GitHub. Nothing is stored: what belongs to it is with the browser.
pub fn begin_github_sign_in(
    control: &Control,
    departure: Departure,
) -> Result<Departed, ControlError> {
    let github = control.github()?;
    let fx = control.fx();
    let Departure { redirect_uri, mut next, mut invitation, take_over, kept } = departure;
    let before = kept.filter(|_| take_over);
    let before = before.and_then(|kept| Keepsake::open(&control.inner.keyring, &kept));
    if let Some(before) = before {
        next = before.next;
        invitation = invitation.or(before.invitation);
    }
    let detour = Detour::begin(redirect_uri, fx.entropy);
    let address = github.address(&detour).map_err(explain)?;
    let until = fx.clock.now() + LIFE;
    let keepsake = Keepsake { detour, next, invitation, take_over, until };
    let kept = keepsake.seal(&control.inner.keyring, fx.entropy)?;
    Ok(Departed { address, kept, life: LIFE })
}

/// Signs somebody in who comes back from GitHub in the same browser, for once.
///
/// The number of their GitHub account decides who they are. Where it is not known yet, their first
/// e-mail address does, if GitHub has verified it: it leads to the account that has it, or, with an
/// invitation, to a new one. An account that has a password may have been made by somebody else than
/// who has the address, since no letters are sent here. It is linked where the browser shows that its
/// person has signed in, or else taken over, if that is wanted: its password, sessions, keys, tokens
/// and invitations end.
pub async fn sign_in_with_github(
    control: &Control,
    back: Return,
) -> Result<Returned, ControlError> {
    let github = control.github()?;
    let Return { kept, state, code, error, session, browser } = back;
    let now = control.fx().clock.now();
    let keepsake = kept.and_then(|kept| Keepsake::open(&control.inner.keyring, &kept));
    let keepsake = keepsake.filter(|kept| kept.detour.has_state(&state) && now < kept.until);
    let keepsake = keepsake.ok_or_else(not_begun)?;
    if !control.inner.spent.spend(&state, keepsake.until, now) {
        return Err(not_begun());
    }
    let code = match (code, error) {
        (Some(code), None) => code,
        (_, Some(reason)) => return Err(not_told(&reason)),
        (None, None) => return Err(not_begun()),
    };
    let counted = control.inner.attempts.begin_from(browser.occasion.address, now)?;
    let Keepsake { detour, next, invitation, take_over, until: _ } = keepsake;
    let known = match github.identify(detour, code).await.map_err(explain) {
        Err(err @ ControlError::Elsewhere { .. }) => {
            counted.forgive();
            return Err(err);
        }
        known => known.inspect_err(|_| control.inner.refusals.note_stranger(&browser.occasion))?,
    };
    let whose_session = match session {
        Some(session) => control.owner_of(&session).await,
        None => None,
    };
    let arrival = arrival::Arrival { known, invitation, take_over, whose_session };
    let signed_in = arrival.sign_in(control, &browser).await.inspect_err(|err| {
        if matches!(err, ControlError::Refused { .. } | ControlError::Invalid { .. }) {
            control.inner.refusals.note_stranger(&browser.occasion);
        }
    })?;
    counted.forgive();
    Ok(Returned { signed_in, next })
}

impl Control {
    /// Whose session it is; one that is not good is nobody's.
    async fn owner_of(&self, session: &SecretString) -> Option<UserId> {
        use secrecy::ExposeSecret as _;

        let principal = self.verify_session(session.expose_secret(), None).await.ok()?;
        Some(principal.user_id)
    }
}

fn not_begun() -> ControlError {
    let message = "this sign-in was not begun in this browser, or too long ago: begin again";
    ControlError::refused("not_begun", message)
}

/// Why GitHub says nothing. Anybody can write the reason.
fn not_told(reason: &str) -> ControlError {
    if reason == "access_denied" {
        let message = "you have not allowed it on GitHub, so you are not signed in";
        return ControlError::refused("access_denied", message);
    }
    let reason = reason.chars().filter(|c| !is_unprintable(*c)).take(MOST_OF_REASON);
    misconfigured(reason.collect::<String>().into())
}

fn explain(err: IdentityServiceError) -> ControlError {
    match err {
        IdentityServiceError::BadCode => not_begun(),
        IdentityServiceError::Unverified => arrival::unverified(),
        IdentityServiceError::Misconfigured(source) => misconfigured(source),
        IdentityServiceError::Unavailable(source) => {
            let message = "GitHub cannot be asked at the moment who you are: try again";
            ControlError::Elsewhere { message, source }
        }
    }
}

fn misconfigured(source: Box<dyn std::error::Error + Send + Sync>) -> ControlError {
    let message = "GitHub does not accept this server as the one that is registered with it: \
                   whoever runs the server finds the reason in its log";
    ControlError::Elsewhere { message, source }
}
