//! People who are known elsewhere, and services that say who somebody is.

use std::{error::Error, fmt};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use windlass_domain::{EmailAddress, Entropy, Name};

use crate::{ExternalIdentity, base62};

/// 256 bits in base 62: as few characters as a verifier may have (RFC 7636, section 4.1).
const DIGITS: usize = 43;

/// A service that says who somebody is: OAuth 2.0 (RFC 6749) with PKCE (RFC 7636, `S256`).
#[async_trait]
pub trait IdentityService: Send + Sync {
    /// Where a browser is sent, so that the service asks the person who sits there.
    fn address(&self, detour: &Detour) -> Result<String, IdentityServiceError>;

    /// Finds out who has come back from there with a code.
    async fn identify(
        &self,
        detour: Detour,
        code: SecretString,
    ) -> Result<KnownElsewhere, IdentityServiceError>;
}

/// A browser's way to a service and back.
#[derive(Debug)]
pub struct Detour {
    /// What the browser brings back, so that no other browser can come in its place.
    pub state: SecretString,
    /// What only this server knows until the code is redeemed.
    pub verifier: SecretString,
    /// Where the service sends the browser back to.
    pub redirect_uri: String,
}

/// Who somebody is, as a service says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownElsewhere {
    /// By what they are known there for good.
    pub identity: ExternalIdentity,
    /// How they are called there.
    pub name: Name,
    /// Their first e-mail address there, where the service has made sure that it is theirs.
    pub email: Option<EmailAddress>,
}

/// Why a service does not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityServiceError {
    /// The code is wrong, was redeemed, has expired, or belongs to another browser's way.
    #[error("the code is not good (any more)")]
    BadCode,
    /// It says nothing of people whose e-mail address it has not verified.
    #[error("the person's e-mail address is not verified there")]
    Unverified,
    /// It does not take this server for the one that is registered there.
    #[error("the service does not accept this server")]
    Misconfigured(#[source] Box<dyn Error + Send + Sync>),
    /// It cannot be reached, or gives no answer that makes sense.
    #[error("the service cannot be asked")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl Detour {
    /// Sets out on a new one.
    #[must_use]
    pub fn begin(redirect_uri: String, entropy: &dyn Entropy) -> Self {
        Self { state: random(entropy), verifier: random(entropy), redirect_uri }
    }

    /// Whether this is the state that was sent along.
    #[must_use]
    pub fn has_state(&self, state: &str) -> bool {
        self.state.expose_secret().as_bytes().ct_eq(state.as_bytes()).into()
    }
}

fn random(entropy: &dyn Entropy) -> SecretString {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    base62::encode::<DIGITS>(&bytes).map(char::from).iter().collect::<String>().into()
}

impl fmt::Debug for dyn IdentityService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityService")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use windlass_domain::OsEntropy;

    use super::Detour;

    #[test]
    fn no_two_ways_have_anything_in_common() {
        let begin = || Detour::begin("https://windlass.example.com/back".to_owned(), &OsEntropy);
        let (one, other) = (begin(), begin());
        let texts = [&one.state, &one.verifier, &other.state, &other.verifier];
        let texts = texts.map(|text| text.expose_secret().to_owned());
        for (at, text) in texts.iter().enumerate() {
            assert!(text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(!texts[..at].contains(text), "{texts:?}");
            assert!(!format!("{one:?}{other:?}").contains(text));
        }
        assert!(one.has_state(one.state.expose_secret()));
        for wrong in ["", "x", other.state.expose_secret(), &texts[0][..42]] {
            assert!(!one.has_state(wrong));
        }
    }
}
