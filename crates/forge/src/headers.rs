//! Headers that go by more than one name.

use http::{HeaderMap, HeaderValue};

/// The names of a header, the usual one first.
pub(crate) type Names = &'static [&'static str];

/// The first that is there, under the name that it has.
pub(crate) fn first(names: Names, headers: &HeaderMap) -> (&'static str, Option<&HeaderValue>) {
    let found = names.iter().find_map(|name| Some((*name, Some(headers.get(*name)?))));
    found.unwrap_or_else(|| (names.first().copied().unwrap_or_default(), None))
}
