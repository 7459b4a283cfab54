//! How a program on somebody's own machine gets a token of theirs, after they have allowed it in
//! their browser: a code for once, bound to the program by PKCE (RFC 7636).

mod challenge;
mod redirect;

pub use self::{
    challenge::{CodeChallenge, CodeVerifier, PkceError},
    redirect::{LoopbackRedirect, LoopbackRedirectError},
};

use chrono::{DateTime, TimeDelta, Utc};
use windlass_domain::{Effects, Name, OrganizationId, UserId};

use crate::{OneTimeHash, OneTimeSecret};

/// A code as it is stored: everything but the code itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginCodeRecord {
    /// By what it is found when it is presented.
    pub code: OneTimeHash,
    /// Whose token it is good for.
    pub user_id: UserId,
    /// Which organization that token opens.
    pub organization_id: OrganizationId,
    /// What only the program knows the verifier of that began it.
    pub challenge: CodeChallenge,
    /// Where the program listens: the code was sent there, and nowhere else.
    pub redirect: LoopbackRedirect,
    /// What the token is for.
    pub label: Name,
    /// How long the token is to last.
    pub life: TimeDelta,
    /// When the code stops working by itself: at this instant it is refused already.
    pub expires_at: DateTime<Utc>,
}

/// A code to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLoginCode {
    /// What the program has shown of its verifier.
    pub challenge: CodeChallenge,
    /// Where the program listens.
    pub redirect: LoopbackRedirect,
    /// What the token is for.
    pub label: Name,
    /// How long the token is to last.
    pub life: TimeDelta,
}

/// A new code: the record is to be stored, the code to be sent to the program.
#[derive(Debug)]
pub struct MintedLoginCode {
    /// What is stored.
    pub record: LoginCodeRecord,
    /// What the program presents.
    pub code: OneTimeSecret,
}

impl NewLoginCode {
    /// How long a token lasts of which nothing is said.
    pub const TOKEN_LIFE: TimeDelta = TimeDelta::days(90);
    /// How long a token can last.
    pub const MAX_TOKEN_LIFE: TimeDelta = TimeDelta::days(1000);
    /// How long the program has to present the code.
    pub const LIFE: TimeDelta = TimeDelta::minutes(1);

    /// Makes it for somebody who has allowed it, in one of their organizations.
    #[must_use]
    pub fn mint(
        self,
        user_id: UserId,
        organization_id: OrganizationId,
        fx: Effects<'_>,
    ) -> MintedLoginCode {
        let Self { challenge, redirect, label, life } = self;
        let code = OneTimeSecret::for_login(fx.entropy);
        let record = LoginCodeRecord {
            code: code.hash(),
            user_id,
            organization_id,
            challenge,
            redirect,
            label,
            life: life.min(Self::MAX_TOKEN_LIFE),
            expires_at: fx.clock.now() + Self::LIFE,
        };
        MintedLoginCode { record, code }
    }
}

impl LoginCodeRecord {
    /// Whether it is good for whoever knows this verifier and has listened there.
    #[must_use]
    pub fn is_good_for(
        &self,
        verifier: &CodeVerifier,
        redirect: &LoopbackRedirect,
        now: DateTime<Utc>,
    ) -> bool {
        now < self.expires_at
            && self.redirect == *redirect
            && self.challenge == verifier.challenge()
    }
}
