//! What a forge says, once it is proven.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::{Event, Forge, Repository};

/// What a forge says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which kind of forge it is.
    pub forge: Forge,
    /// By which a second delivery of the same is known.
    pub id: DeliveryId,
    /// The SHA-256 of the body, where an identical body can only say the same once more.
    ///
    /// No forge signs its ids, so whoever has seen a delivery can send it again under another one.
    /// The bodies of GitHub hold times (`pushed_at`, `updated_at`), so two of them are alike only
    /// if they tell of one event: a body that comes again is a replay, or the same event by way
    /// of a second webhook.
    ///
    /// Absent for the others. Their bodies hold no time of the push, and are alike whenever a
    /// branch goes from one commit to another, back, and there again. A GitLab request holds its
    /// secret anyway: whoever has seen one can write any.
    pub digest: Option<[u8; 32]>,
    /// The repository that it is about.
    pub repository: Option<Repository>,
    /// What has happened.
    pub event: Event,
}

/// A forge's own identifier of a delivery: 1 to 100 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryId(String);

/// The text does not identify a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 100 printable ASCII characters without blanks")]
pub struct DeliveryIdError;

impl DeliveryId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For a body that came without an identifier.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        Self(format!("sha256:{:x}", Sha256::digest(body)))
    }
}

impl FromStr for DeliveryId {
    type Err = DeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !(1..=100).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(DeliveryIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{DeliveryId, DeliveryIdError};

    #[test]
    fn an_identifier_is_short_and_printable() {
        for text in ["f6266f16-1bf3-46a5-9ea4-602e06ead473", "1", &"x".repeat(100)] {
            assert_eq!(text.parse::<DeliveryId>().map(|id| id.to_string()), Ok(text.to_owned()));
        }
        for text in ["", " ", "a b", "a\nb", "\u{e4}", &"x".repeat(101)] {
            assert_eq!(text.parse::<DeliveryId>(), Err(DeliveryIdError), "{text:?}");
        }
    }

    #[test]
    fn one_made_of_a_body_is_an_identifier() {
        let made = DeliveryId::of_body(b"{}");
        let wanted = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(made.as_str(), wanted);
        assert_eq!(made.as_str().parse(), Ok(made));
    }
}
