//! Which names a certificate can be for.

use instant_acme::Identifier;

use crate::error::Invalid;

/// The hosts, as an authority is asked for them.
pub(crate) fn identifiers(hosts: &[&str]) -> Result<Vec<Identifier>, Invalid> {
    if hosts.is_empty() {
        return Err(Invalid::NoHost);
    }
    let checked = hosts.iter().map(|&host| {
        let is_name = is_host_name(host);
        is_name
            .then(|| Identifier::Dns(host.to_owned()))
            .ok_or_else(|| Invalid::Host(host.to_owned()))
    });
    checked.collect()
}

/// Whether a text is a host name of at least two labels that public authorities take, with its
/// Unicode encoded. Challenges over HTTP are not for wildcards.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=63).contains(&label.len())
            && label.bytes().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_a_name = |(_, last): (&str, &str)| !last.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253
        && text.split('.').all(is_label)
        && text.rsplit_once('.').is_some_and(last_is_a_name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{identifiers, is_host_name};
    use crate::Invalid;

    #[test]
    fn what_cannot_be_shown_over_http_is_refused_before_anybody_is_asked() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long = format!("{}example", "a.".repeat(130));
        for bad in [
            "",
            ".",
            "a",
            "a.",
            ".a",
            "a..b",
            "*.a.example",
            "A.example",
            "a_b.example",
            "ä.example",
            "-a.example",
            "a-.example",
            "192.0.2.1",
            "[::1]",
            "::1",
            "a.example:80",
            "a b.example",
            "a.example/",
            &long_label,
            &long,
        ] {
            let err = identifiers(&["good.example", bad]).unwrap_err();
            assert_eq!(err, Invalid::Host(bad.to_owned()));
        }
        for good in ["a.example", "xn--bcher-kva.example", "1.2.example", "a--b.c-d.example"] {
            assert!(is_host_name(good), "{good}");
        }
        assert_eq!(identifiers(&[]), Err(Invalid::NoHost));
    }

    proptest! {
        #[test]
        fn any_text_is_a_host_name_or_none(text in ".*", label in "[a-z0-9.*-]{0,40}") {
            let _ = is_host_name(&text);
            if is_host_name(&label) {
                assert!(!label.contains('*') && !label.starts_with('.'), "{label}");
            }
        }
    }
}
