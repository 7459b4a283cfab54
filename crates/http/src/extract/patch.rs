//! A field of a JSON merge patch (RFC 7396).

use serde::{Deserialize, Deserializer};

/// A field of a JSON merge patch. Needs `#[serde(default)]` to notice that it is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Patch<T> {
    /// Absent: the value stays.
    #[default]
    Keep,
    /// `null`: the value goes.
    Clear,
    /// The new value.
    Set(T),
}

impl<T> Patch<T> {
    /// Makes something else of the new value; where that fails, the value stays.
    pub(crate) fn and_then<U>(self, make: impl FnOnce(T) -> Option<U>) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => make(value).map_or(Patch::Keep, Patch::Set),
        }
    }

    /// Changes a value that may be absent.
    pub(crate) fn apply(self, target: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *target = None,
            Self::Set(value) => *target = Some(value),
        }
    }

    /// Changes a value that falls back to a default.
    pub(crate) fn apply_or(self, target: &mut T, default: T) {
        match self {
            Self::Keep => {}
            Self::Clear => *target = default,
            Self::Set(value) => *target = value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}
