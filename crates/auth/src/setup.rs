//! The secret with which a person claims the account of an installation's owner.

use std::fmt::{self, Write as _};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use windlass_domain::Entropy;

/// What it begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "wlo_";
/// 256 bits.
const BYTES: usize = 32;

/// A secret in the clear. It is wiped when dropped, and only [`SetupSecret::expose`] shows it.
pub struct SetupSecret(SecretString);

impl SetupSecret {
    /// Makes a new one.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; BYTES];
        entropy.fill(&mut bytes);
        Self(format!("{PREFIX}{}", hex(&bytes)).into())
    }

    /// The secret itself, for the link of which it is part.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it: by this it is found, and it leads back to nothing. A fast hash will do,
    /// as nobody guesses what has 256 bits.
    #[must_use]
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.expose()))
    }
}

impl From<String> for SetupSecret {
    /// From whatever is presented.
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for SetupSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupSecret(…)")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
