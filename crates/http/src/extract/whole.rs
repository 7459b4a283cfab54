//! Whole numbers in JSON.

use serde::{Deserialize, Deserializer, de::Error};

/// A whole number. JSON has one kind of number, so `256.0` is one, as its schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) u32);

impl<'de> Deserialize<'de> for Whole {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range and the fraction were checked"
    )]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        if !is_whole {
            let message = format!("expected a whole number between 0 and {}", u32::MAX);
            return Err(Error::custom(message));
        }
        Ok(Self(number as u32))
    }
}
