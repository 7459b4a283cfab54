//! Typed identifiers: a version 7 UUID (RFC 9562, section 5.7) in the text form of `TypeID`.

use std::{cmp, fmt, hash, marker::PhantomData, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::{Effects, Entropy};

/// Crockford's base32 alphabet in lower case, as the `TypeID` specification (0.3.0) has it.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 26 digits of 5 bits hold the 128 bits of a UUID.
const DIGITS: usize = 26;

/// Names one kind of entity; implemented by the entity itself.
pub trait IdKind {
    /// Short prefix of the text form, such as `proj` in `proj_01jg…`.
    const PREFIX: &'static str;
}

/// Identifier of a `K`; sorts by time of creation.
///
/// Use the aliases ([`crate::ProjectId`]) rather than `Id<Project>`.
pub struct Id<K: IdKind> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// The text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an identifier like `{expected}_` followed by 26 of 0-9 and a-z")]
pub struct ParseIdError {
    expected: &'static str,
}

impl<K: IdKind> Id<K> {
    /// Makes a new identifier from the injected time and randomness.
    #[must_use]
    pub fn generate(fx: Effects<'_>) -> Self {
        Self::generate_at(fx.clock.now(), fx.entropy)
    }

    /// The same as of a time that has been read already.
    #[must_use]
    pub fn generate_at(time: DateTime<Utc>, entropy: &dyn Entropy) -> Self {
        let mut random = [0; 10];
        entropy.fill(&mut random);
        Self::at(time, random)
    }

    /// What sorts before every identifier that is generated from a time on, and after those from
    /// before: a bound for what is found by its identifier.
    #[must_use]
    pub fn least_at(time: DateTime<Utc>) -> Self {
        Self::at(time, [0; 10])
    }

    fn at(time: DateTime<Utc>, random: [u8; 10]) -> Self {
        let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0);
        Self::from_uuid(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The form in which a database stores it; byte order is time order.
    #[must_use]
    pub fn to_uuid(self) -> Uuid {
        self.uuid
    }

    /// Trusts a stored value to be of kind `K`.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }
}

fn encode(uuid: Uuid) -> String {
    let mut rest = uuid.as_u128();
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let value = (rest & 31) as usize;
        *digit = ALPHABET.get(value).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    digits.iter().copied().map(char::from).collect()
}

fn decode(text: &str) -> Option<Uuid> {
    // The first digit carries only three bits: more would not fit into 128.
    if text.len() != DIGITS || text.as_bytes().first().is_none_or(|first| b'7' < *first) {
        return None;
    }
    let value = text.bytes().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        Some(value << 5 | digit as u128)
    })?;
    Some(Uuid::from_u128(value))
}

// Written by hand: a derive would ask `K` for the same traits.
impl<K: IdKind> Copy for Id<K> {}
impl<K: IdKind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: IdKind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K: IdKind> Eq for Id<K> {}
impl<K: IdKind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: IdKind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K: IdKind> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, encode(self.uuid))
    }
}
impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(decode)
            .map(Self::from_uuid)
            .ok_or(ParseIdError { expected: K::PREFIX })
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use crate::{
        Clock as _, ProjectId, UserId,
        test_util::{CountingEntropy, ManualClock},
    };

    #[test]
    fn text_form_round_trips_and_rejects_another_kind() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let id = ProjectId::generate(entropy.with(&clock));

        assert_eq!(id.to_string(), "proj_01kdvdna00e008000000000000");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<UserId>().is_err());
    }

    #[test]
    fn later_identifiers_sort_after_earlier_ones() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let first = ProjectId::generate(entropy.with(&clock));
        clock.advance(chrono::TimeDelta::milliseconds(1));

        assert!(first < ProjectId::generate(entropy.with(&clock)));
    }

    #[test]
    fn the_least_identifier_of_a_time_lies_between_those_before_and_those_from_then_on() {
        let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
        let before = ProjectId::generate(entropy.with(&clock));
        clock.advance(chrono::TimeDelta::milliseconds(1));
        let least = ProjectId::least_at(clock.now());

        assert!(before < least && least < ProjectId::generate(entropy.with(&clock)));
    }

    proptest! {
        #[test]
        fn every_uuid_survives_its_text_form(value: u128) {
            let id = ProjectId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn no_text_panics_and_what_parses_is_canonical(text in "proj_[0-9a-zA-Z_]{20,30}|\\PC*") {
            if let Ok(id) = text.parse::<ProjectId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
