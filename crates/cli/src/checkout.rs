//! The git checkout that somebody stands in: whose it is, and on which branch.

use std::process::{Command, Stdio};

/// Where the checkout's source comes from.
pub(crate) fn remote() -> Option<String> {
    git(&["remote", "get-url", "origin"])
}

/// The branch that is checked out.
pub(crate) fn branch() -> Option<String> {
    git(&["symbolic-ref", "--quiet", "--short", "HEAD"])
}

/// Whether two addresses are of one repository, however they are written.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

/// Host and path: `git@example.com:a/b.git` and `https://example.com/a/b` are the same.
fn plain(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    let (rest, is_short) = match address.split_once("://") {
        Some((_, rest)) => (rest, false),
        None => (address, true),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // A user is no part of what is meant, but an `@` in a path is.
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let rest = format!("{authority}/{path}");
    if is_short { rest.replacen(':', "/", 1) } else { rest }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_several_addresses() {
        for address in [
            "https://example.com/ada/shop",
            "https://ada@example.com/ada/shop.git",
            "git@example.com:ada/shop.git",
            "ssh://git@example.com/ada/shop.git/",
        ] {
            assert_eq!(plain(address), "example.com/ada/shop", "{address}");
        }
        assert!(is_same("/srv/git/shop", "/srv/git/shop.git"));
    }

    #[test]
    fn another_repository_is_another() {
        assert!(!is_same("https://example.com/ada/shop", "https://example.com/ada/shop-2"));
        assert!(!is_same("https://example.com/ada/shop", "https://example.org/ada/shop"));
    }
}
