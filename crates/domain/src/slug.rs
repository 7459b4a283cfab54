//! Slugs: names made fit for URLs and host names.

use std::{fmt, str::FromStr};

/// A lower-case DNS label: 1 to 63 of `a-z`, `0-9` and inner hyphens (RFC 1123, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

/// The text is not a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 of a-z, 0-9 and inner hyphens")]
pub struct SlugError;

impl Slug {
    /// Most bytes in a slug.
    pub const MAX: usize = 63;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a slug out of any text: letters and digits in lower case, everything between them
    /// as one hyphen, cut at 63. A text without any of them becomes `fallback`.
    #[must_use]
    pub fn from_text(text: &str, fallback: &str) -> Self {
        let mut slug = String::new();
        for c in text.chars().map(|c| c.to_ascii_lowercase()) {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if Self::MAX <= slug.len() {
                break;
            }
        }
        let slug = slug.trim_matches('-');
        Self(if slug.is_empty() { fallback.to_owned() } else { slug.to_owned() })
    }

    /// This slug, shortened where needed, with `-suffix` behind it.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let room = Self::MAX.saturating_sub(suffix.len() + 1);
        let head: String = self.0.chars().take(room).collect();
        Self(format!("{}-{suffix}", head.trim_end_matches('-')))
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = !text.is_empty() && text.len() <= Self::MAX;
        if !fits || !text.chars().all(allowed) || text.starts_with('-') || text.ends_with('-') {
            return Err(SlugError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Slug;

    proptest! {
        #[test]
        fn any_text_becomes_a_slug(text: String, suffix in "[a-z0-9]{1,12}") {
            let slug = Slug::from_text(&text, "project");
            prop_assert_eq!(slug.as_str().parse(), Ok(slug.clone()));
            let longer = slug.with_suffix(&suffix);
            prop_assert_eq!(longer.as_str().parse(), Ok(longer.clone()));
        }
    }
}
