//! E-mail addresses: what a person signs in with.

use std::{fmt, str::FromStr};

/// An e-mail address in the one spelling in which it is stored and compared: in lower case and
/// without blanks around it.
///
/// What is an address is what browsers take for one: `<input type="email">` of the HTML standard.
/// Letters beyond ASCII are refused. Two of them can look alike, or become one when their case
/// changes, and then a person could take the place of another; a domain that has such letters can
/// be written in its `xn--` form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// Why a text is not an [`EmailAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailAddressError {
    /// Too long to be delivered to.
    #[error("must have at most {} characters", EmailAddress::MAX)]
    Length,
    /// Letters of other alphabets.
    #[error("must be in ASCII; write a domain with other letters in its xn-- form")]
    NotAscii,
    /// Anything else.
    #[error("must be an e-mail address, such as ada@example.com")]
    Form,
}

impl EmailAddress {
    /// Most characters in an address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
    pub const MAX: usize = 254;
    /// Most characters before the `@` (RFC 5321, section 4.5.3.1.1).
    const MAX_LOCAL: usize = 64;
    /// Most characters between two dots of the domain.
    const MAX_LABEL: usize = 63;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_matches(' ');
        if Self::MAX < text.len() {
            return Err(EmailAddressError::Length);
        }
        if !text.is_ascii() {
            return Err(EmailAddressError::NotAscii);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailAddressError::Form)?;
        if is_local(local) && domain.split('.').all(is_label) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(EmailAddressError::Form)
        }
    }
}

fn is_local(text: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    (1..=EmailAddress::MAX_LOCAL).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn is_label(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=EmailAddress::MAX_LABEL).contains(&text.len())
        && text.bytes().all(is_allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EmailAddress, EmailAddressError};

    fn parse(text: &str) -> Result<EmailAddress, EmailAddressError> {
        text.parse()
    }

    #[test]
    fn one_person_has_one_spelling() {
        for text in ["ada@example.com", " Ada@EXAMPLE.com ", "ADA@Example.COM"] {
            assert_eq!(parse(text).unwrap().as_str(), "ada@example.com");
        }
        assert_ne!(parse("a.da@example.com"), parse("ada@example.com"));
        assert_ne!(parse("ada+ci@example.com"), parse("ada@example.com"));
    }

    #[test]
    fn letters_that_only_look_alike_are_refused_and_not_folded() {
        // In lower case, the first one's K (the Kelvin sign) would be an ASCII k.
        for text in ["\u{212a}ay@example.com", "m\u{131}ke@example.com", "ada@ex\u{e4}mple.com"] {
            assert_eq!(parse(text), Err(EmailAddressError::NotAscii), "{text}");
        }
        assert!(parse("ada@xn--exmple-cua.com").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example..com",
            "ada@-example.com",
            "ada@example-.com",
            "a da@example.com",
            "ada@example.com@",
            "a@b@example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "\tada@example.com",
            "Ada <ada@example.com>",
        ] {
            assert_eq!(parse(text), Err(EmailAddressError::Form), "{text:?}");
        }
    }

    #[test]
    fn its_length_is_bounded() {
        let local = "a".repeat(64);
        assert!(parse(&format!("{local}@example.com")).is_ok());
        assert_eq!(parse(&format!("{local}a@example.com")), Err(EmailAddressError::Form));
        let domain = vec!["b".repeat(63); 3].join(".");
        assert_eq!(parse(&format!("{local}@{domain}")), Err(EmailAddressError::Length));
        assert!(parse(&format!("ada@{domain}")).is_ok());
        assert_eq!(parse(&format!("ada@{}", "b".repeat(64))), Err(EmailAddressError::Form));
    }

    proptest! {
        #[test]
        fn what_was_parsed_is_its_own_only_spelling(text in "[ -~]{0,20}@[a-zA-Z0-9.-]{0,20}|.*") {
            if let Ok(address) = parse(&text) {
                prop_assert_eq!(parse(address.as_str()), Ok(address.clone()));
                prop_assert_eq!(parse(&address.as_str().to_ascii_uppercase()), Ok(address.clone()));
                prop_assert!(address.as_str().len() <= EmailAddress::MAX);
                prop_assert!(!address.as_str().contains(|c: char| c.is_whitespace() || c.is_control()));
            }
        }
    }
}
