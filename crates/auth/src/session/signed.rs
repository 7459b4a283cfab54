//! The signed text that a browser keeps: a JSON Web Token (RFC 7519) of exactly one form.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::{
    AlgorithmExt as _, Claims, Header, UntrustedToken,
    alg::{Hs256, Hs256Key},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use windlass_domain::UserId;

use super::SessionKeys;
use crate::{SessionId, SessionRecord};

/// What kind of text it is, so that nothing else that is signed one day passes for it (RFC 8725,
/// section 3.11).
const TYPE: &str = "windlass-session+jwt";
const ISSUER: &str = "windlass";
const AUDIENCE: &str = "windlass-browser";
/// Longer than any of ours.
const MOST_BYTES: usize = 1024;
/// By how much the clocks of two servers may differ.
const LEEWAY: TimeDelta = TimeDelta::minutes(1);

/// The text that a browser keeps. It is wiped when dropped, and only [`PlainSession::expose`] shows
/// it.
pub struct PlainSession(SecretString);

/// There is no key to sign with, or it cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("a session cannot be signed")]
pub struct SignSessionError;

#[derive(Serialize, Deserialize)]
struct SessionClaims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
}

/// What a genuine text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignedSession {
    pub(super) id: SessionId,
    pub(super) user_id: UserId,
    pub(super) expires_at: DateTime<Utc>,
}

/// Signs a session, for the browser to keep.
pub fn sign_session(
    session: &SessionRecord,
    keys: &SessionKeys,
) -> Result<PlainSession, SignSessionError> {
    let (number, key) = keys.signing().ok_or(SignSessionError)?;
    let header = Header::empty().with_key_id(number.to_string()).with_token_type(TYPE);
    let mut claims = Claims::new(SessionClaims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: session.user_id.to_string(),
        sid: session.id.to_string(),
    });
    claims.issued_at = Some(session.created_at);
    claims.expiration = Some(session.expires_at);
    let text = Hs256.token(&header, &claims, &Hs256Key::new(key));
    Ok(PlainSession(text.map_err(|_| SignSessionError)?.into()))
}

/// The number of the key with which a text says that it is signed. Anybody can write that.
#[must_use]
pub fn session_key_of(text: &str) -> Option<u32> {
    key_id(&parse(text)?)
}

/// Reads a text that one of the keys has signed, in exactly the form that [`sign_session`] makes.
pub(super) fn read(text: &str, keys: &SessionKeys, now: DateTime<Utc>) -> Option<SignedSession> {
    let token = parse(text)?;
    let key = Hs256Key::new(keys.verifying(key_id(&token)?)?);
    // Refuses every algorithm but its own.
    let token = Hs256.validator::<SessionClaims>(&key).validate(&token).ok()?;
    let claims = token.claims();
    let SessionClaims { iss, aud, sub, sid } = &claims.custom;
    let (issued_at, expires_at) = (claims.issued_at?, claims.expiration?);
    let is_for_us = iss == ISSUER && aud == AUDIENCE;
    let is_its_time = issued_at <= now + LEEWAY && now < expires_at;
    if !is_for_us || !is_its_time {
        return None;
    }
    Some(SignedSession { id: sid.parse().ok()?, user_id: sub.parse().ok()?, expires_at })
}

type Parsed<'a> = UntrustedToken<'a, BTreeMap<String, Option<IgnoredAny>>>;

/// A text of the right form, of which nothing is known to be true. Whatever its header says beside
/// what ours say (`crit`, `jku`, `x5u`, …) would have to be obeyed or be harmless: it is refused.
fn parse(text: &str) -> Option<Parsed<'_>> {
    if MOST_BYTES < text.len() {
        return None;
    }
    let token = Parsed::try_from(text).ok()?;
    let header = token.header();
    let is_plain = header.other_fields.is_empty()
        && header.key_set_url.is_none()
        && header.certificate_url.is_none()
        && header.certificate_sha1_thumbprint.is_none()
        && header.certificate_thumbprint.is_none();
    (is_plain && header.token_type.as_deref() == Some(TYPE)).then_some(token)
}

fn key_id(token: &Parsed<'_>) -> Option<u32> {
    let text = token.header().key_id.as_deref()?;
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

impl PlainSession {
    /// The text itself. It belongs into the answer that begins the session, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PlainSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSession(…)")
    }
}
