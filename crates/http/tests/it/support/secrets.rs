//! Remembers every plaintext that a test makes, and looks for it where none may be.

use std::fmt::Write as _;

use memchr::memmem::Finder;

/// What is public at the beginning of a key, or shown at the end of a masked value.
const PUBLIC_START: usize = 12;
const PUBLIC_END: usize = 4;

/// Plaintexts, each with what it is.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Secret>);

struct Secret {
    what: String,
    /// What of it nobody may see, as it would be written.
    forms: [Finder<'static>; 3],
}

impl Secrets {
    /// Remembers a plaintext that is long enough to be recognised.
    pub(crate) fn remember(&mut self, what: impl Into<String>, text: &str) {
        let what = what.into();
        assert!(text.is_ascii() && 24 <= text.len(), "{what} cannot be recognised");
        let core = &text[PUBLIC_START..text.len() - PUBLIC_END];
        let mut hex = String::new();
        for byte in core.bytes() {
            write!(hex, "{byte:02x}").unwrap();
        }
        let forms = [core, &hex.to_uppercase(), &hex];
        let forms = forms.map(|form| Finder::new(form).into_owned());
        self.0.push(Secret { what, forms });
    }

    /// Fails where one of them is.
    pub(crate) fn assert_absent_from(&self, place: &str, text: &str) {
        for Secret { what, forms } in &self.0 {
            let is_there = forms.iter().any(|form| form.find(text.as_bytes()).is_some());
            assert!(!is_there, "{what} is in {place}");
        }
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
#[should_panic(expected = "the key is in a dump")]
fn a_secret_is_found_in_whatever_form() {
    let mut secrets = Secrets::default();
    secrets.remember("the key", "wls_00000000secretsecretsecret0000");
    secrets.assert_absent_from("a log", "wls_00000000");
    secrets.assert_absent_from("a dump", "X'7365637265747365637265747365637265743030'");
}
