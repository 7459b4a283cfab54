//! Where in the API something is.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a name may contain without becoming something else in an address.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path of the API with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// The path `/api/…` of these names, whatever is in them.
    pub(crate) fn of<const N: usize>(names: [&str; N]) -> Self {
        let names = names.iter().map(|name| match *name {
            // These would be understood as steps.
            "." | ".." => name.replace('.', "%2E"),
            _ => encode(name),
        });
        Self(names.fold("/api".to_owned(), |path, name| path + "/" + &name))
    }

    /// The same with a parameter.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let mark = if self.0.contains('?') { '&' } else { '?' };
        self.0 = format!("{}{mark}{}={}", self.0, encode(name), encode(value));
        self
    }

    /// The same with a parameter where it has a value.
    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_step_of_the_path() {
        let address = Address::of(["projects", "../keys?a=b", "..", "env_1"]);
        assert_eq!(address.to_string(), "/api/projects/..%2Fkeys%3Fa%3Db/%2E%2E/env_1");
    }

    #[test]
    fn parameters_are_added_one_after_another() {
        let address = Address::of(["usage"]).with("from", "2026-01-01").with_some("to", None);
        let address = address.with_some("x", Some("a&b"));
        assert_eq!(address.to_string(), "/api/usage?from=2026-01-01&x=a%26b");
    }
}
