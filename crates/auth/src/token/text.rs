//! The text of a token: URL-safe base64 of a Biscuit.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// The longest text that is taken for a token. A narrowed token of ours has well under 2,000
/// characters; headers of more than 8,000 are refused on the way by many proxies.
pub(super) const MAX_LENGTH: usize = 8 * 1024;

/// The most blocks that a token may have; a new one has one.
pub(super) const MAX_BLOCKS: usize = 16;

/// No signed block fits into fewer characters, and no API key has as many.
const MIN_LENGTH: usize = 100;

/// A token in the clear. It is wiped when dropped, and only [`PlainToken::expose`] shows it.
pub struct PlainToken(SecretString);

/// The text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not a token, or not a whole one")]
pub struct MalformedToken;

/// Whether a text could be a token rather than some other kind of credential.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    MIN_LENGTH <= digits.len()
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Refuses what is not worth the cost of decoding.
pub(super) fn check_form(text: &str) -> Result<(), MalformedToken> {
    if text.len() <= MAX_LENGTH && looks_like_token(text) { Ok(()) } else { Err(MalformedToken) }
}

impl PlainToken {
    /// From base64 with padding, which nobody needs and which would be escaped in a URL.
    pub(super) fn new(mut text: String) -> Option<Self> {
        text.truncate(text.trim_end_matches('=').len());
        (text.len() <= MAX_LENGTH).then(|| Self(text.into()))
    }

    /// The token's text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken")
    }
}
