//! How a program on somebody's own machine gets a token of theirs, after they have allowed it in
//! their browser: a code for once, bound to the program by PKCE (RFC 7636).

mod challenge;
mod redirect;

pub use self::{
    challenge::{CodeChallenge, CodeVerifier, PkceError},
    redirect::{LoopbackRedirect, LoopbackRedirectError},
};

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use windlass_domain::{Effects, Entropy, Name, OrganizationId, UserId};

use crate::base62;

/// What a code begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "wlc_";
/// 256 bits in base 62.
const DIGITS: usize = 43;

/// A code as it is stored: everything but the code itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginCodeRecord {
    /// By what it is found when it is presented.
    pub code: LoginCodeHash,
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
    pub code: PlainLoginCode,
}

/// A code in the clear. It is wiped when dropped, and only [`PlainLoginCode::expose`] shows it.
pub struct PlainLoginCode(SecretString);

/// What is stored of a code. With 256 bits of randomness in it, a fast hash is enough.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginCodeHash(String);

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
        let code = PlainLoginCode::generate(fx.entropy);
        let record = LoginCodeRecord {
            code: LoginCodeHash::of(code.expose()),
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

impl PlainLoginCode {
    fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 32];
        entropy.fill(&mut random);
        let digits = base62::encode::<DIGITS>(&random).map(char::from);
        Self(PREFIX.chars().chain(digits).collect::<String>().into())
    }

    /// The code itself. It belongs into the address to which the browser is sent, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl LoginCodeHash {
    /// What is stored of a code; of a text that is none, what nothing is found by.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(challenge::base64url(&Sha256::digest(text)))
    }

    /// Trusts a stored value.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainLoginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainLoginCode")
    }
}

impl fmt::Debug for LoginCodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginCodeHash")
    }
}
