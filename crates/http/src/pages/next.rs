//! Where somebody goes on to who has signed in.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Where somebody goes who was not on the way to anywhere.
const HOME: &str = "/docs/";
/// Longer than any address of ours that one comes back to.
const MOST_BYTES: usize = 2_000;
/// What an address may contain without becoming something else in a query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address on this server: a path, and maybe a query. So nobody is sent elsewhere by a link to
/// our own sign-in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Next(String);

impl Next {
    /// The address in a text from outside, or the first page where it is anything else.
    pub(crate) fn parse(text: &str) -> Self {
        // Browsers take a backslash for a slash, and leave out tabs and line breaks.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#".contains(&byte));
        let is_local = text.starts_with('/') && !text.starts_with("//");
        let is_good = is_plain && is_local && text.len() <= MOST_BYTES;
        Self(if is_good { text } else { HOME }.to_owned())
    }

    /// The first page.
    pub(crate) fn home() -> Self {
        Self(HOME.to_owned())
    }

    /// The address itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of another page that leads there in the end.
    pub(crate) fn by_way_of(&self, page: &str) -> String {
        if self.0 == HOME {
            return page.to_owned();
        }
        format!("{page}?next={}", utf8_percent_encode(&self.0, RESERVED))
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // There may be the secret of an invitation in it.
        f.write_str("Next(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{HOME, MOST_BYTES, Next};

    #[test]
    fn only_an_address_on_this_server_is_gone_on_to() {
        for local in ["/", "/docs/", "/authorize?state=a%20b&x=%2F%2F", "/a//b", "/@evil.example"] {
            assert_eq!(Next::parse(local).as_str(), local);
        }
        for foreign in [
            "",
            "docs",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/docs/\r\nSet-Cookie: a=b",
            "/docs/#there",
            "/d\u{f6}cs",
            "javascript:alert(1)",
        ] {
            assert_eq!(Next::parse(foreign).as_str(), HOME, "{foreign:?}");
        }
        let long = format!("/{}", "a".repeat(MOST_BYTES));
        assert_eq!(Next::parse(&long).as_str(), HOME);
    }

    #[test]
    fn it_goes_through_another_page_whole() {
        let next = Next::parse("/authorize?a=b&c=d%20e");
        assert_eq!(next.by_way_of("/login"), "/login?next=%2Fauthorize%3Fa%3Db%26c%3Dd%2520e");
        assert_eq!(Next::parse("").by_way_of("/login"), "/login");
    }
}
