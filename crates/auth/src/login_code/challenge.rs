//! Proof that whoever presents a code is the one who asked for it (PKCE, RFC 7636, method `S256`).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use windlass_domain::Entropy;

/// Length of a SHA-256 hash in base64url.
const CHALLENGE_LENGTH: usize = 43;

/// What only the program knows that asks for a code. It is wiped when dropped.
pub struct CodeVerifier(SecretString);

/// What it shows of that beforehand: a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// The text is no verifier, or no challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not as RFC 7636 has it")]
pub struct PkceError;

impl CodeVerifier {
    /// Makes a new one of 256 bits.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 32];
        entropy.fill(&mut random);
        Self(base64url(&random).into())
    }

    /// Reads what is presented: 43 to 128 letters, digits, `-`, `.`, `_` and `~`.
    pub fn parse(text: SecretString) -> Result<Self, PkceError> {
        let shown = text.expose_secret();
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_good = (43..=128).contains(&shown.len()) && shown.bytes().all(is_unreserved);
        if is_good { Ok(Self(text)) } else { Err(PkceError) }
    }

    /// What is shown of it beforehand.
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(base64url(&Sha256::digest(self.expose())))
    }

    /// The verifier itself, for whoever hands out tokens.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for CodeChallenge {
    type Err = PkceError;

    fn from_str(text: &str) -> Result<Self, PkceError> {
        let is_hash = URL_SAFE_NO_PAD.decode(text).is_ok_and(|hash| hash.len() == 32);
        if is_hash && text.len() == CHALLENGE_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceError)
        }
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier")
    }
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{CodeChallenge, CodeVerifier};

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_challenge_is_that_of_the_specification() {
        let verifier = CodeVerifier::parse(VERIFIER.into()).unwrap();
        assert_eq!(verifier.challenge().to_string(), CHALLENGE);
        assert_eq!(CHALLENGE.parse(), Ok(verifier.challenge()));
    }

    #[test]
    fn what_is_no_verifier_or_challenge_is_refused() {
        let (short, long) = ("a".repeat(42), "a".repeat(129));
        for text in ["", &short, &long, &VERIFIER.replace('-', "+"), &format!("{VERIFIER} ")] {
            assert!(CodeVerifier::parse(text.into()).is_err(), "{text}");
        }
        assert!(CodeVerifier::parse("~".repeat(128).into()).is_ok());
        for text in ["", "plain", &CHALLENGE[1..], &CHALLENGE.replace('-', "+"), &"z".repeat(43)] {
            assert!(text.parse::<CodeChallenge>().is_err(), "{text}");
        }
    }
}
