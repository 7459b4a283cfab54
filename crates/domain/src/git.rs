//! Where source code comes from.

use std::{fmt, str::FromStr};

use crate::name::is_unprintable;

/// The address of a git remote that is safe to hand to the `git` program: one of the known
/// protocols, no option, no remote helper, no password inside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GitUrl {
    text: String,
    protocol: Protocol,
}

/// How a [`GitUrl`] is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `https://…`
    Https,
    /// `http://…`
    Http,
    /// `ssh://…` or `user@host:path`
    Ssh,
    /// `git://…`
    Git,
    /// `file:///…` or an absolute path on the server's machine.
    File,
}

/// Why a text is not a [`GitUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GitUrlError {
    /// None of the known forms.
    #[error("must be a git address such as `https://git.example.com/shop.git`")]
    Form,
    /// It would be stored and shown.
    #[error(
        "must not contain a user of `https` or a password: the address is shown to everyone who sees the project"
    )]
    Password,
}

impl GitUrl {
    /// The text, as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is fetched.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl FromStr for GitUrl {
    type Err = GitUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |c: char| is_unprintable(c) || c.is_whitespace();
        if text.is_empty() || 1_000 < text.len() || text.starts_with('-') || text.chars().any(bad) {
            return Err(GitUrlError::Form);
        }
        let protocol = match text.split_once("://") {
            Some((scheme, rest)) => {
                let protocol = match scheme {
                    "https" => Protocol::Https,
                    "http" => Protocol::Http,
                    "ssh" => Protocol::Ssh,
                    "git" => Protocol::Git,
                    "file" => Protocol::File,
                    _ => return Err(GitUrlError::Form),
                };
                check_authority(protocol, rest)?;
                protocol
            }
            None if text.starts_with('/') => Protocol::File,
            None => {
                // `user@host:path`; `::` would name a remote helper, which runs a program.
                let (host, path) = text.split_once(':').ok_or(GitUrlError::Form)?;
                if path.is_empty() || path.starts_with([':', '-']) || !is_host(host, true) {
                    return Err(GitUrlError::Form);
                }
                Protocol::Ssh
            }
        };
        Ok(Self { text: text.to_owned(), protocol })
    }
}

fn check_authority(protocol: Protocol, rest: &str) -> Result<(), GitUrlError> {
    let (authority, path) = rest.split_once('/').ok_or(GitUrlError::Form)?;
    if path.is_empty() {
        return Err(GitUrlError::Form);
    }
    if protocol == Protocol::File {
        return if authority.is_empty() { Ok(()) } else { Err(GitUrlError::Form) };
    }
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    // Access tokens are commonly written as the user of an `https` address.
    let is_secret = matches!(protocol, Protocol::Https | Protocol::Http);
    if user.is_some_and(|user| is_secret || user.contains(':')) {
        return Err(GitUrlError::Password);
    }
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (host, None),
    };
    let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if !port_is_fine || !is_host(host, false) || user.is_some_and(|user| !is_host(user, false)) {
        return Err(GitUrlError::Form);
    }
    Ok(())
}

/// Whether ssh or a resolver can take it for nothing but a name or an address.
fn is_host(text: &str, with_user: bool) -> bool {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '.' | '-' | '_' | '[' | ']')
            || (with_user && c == '@')
    };
    let inside_brackets = text.starts_with('[') && text.ends_with(']');
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains("@-")
        && text.chars().all(|c| allowed(c) || (inside_brackets && c == ':'))
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A repository on GitHub: `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GithubRepo(String);

/// The text does not name a repository on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `owner/name`")]
pub struct GithubRepoError;

impl GithubRepo {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account that it belongs to.
    #[must_use]
    pub fn owner(&self) -> &str {
        // There is a slash in every one.
        self.0.split_once('/').map_or(&self.0, |(owner, _)| owner)
    }
}

impl FromStr for GithubRepo {
    type Err = GithubRepoError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let part = |part: &str| {
            (1..=100).contains(&part.len())
                && part.chars().all(allowed)
                && !part.starts_with(['-', '.'])
        };
        match text.split_once('/') {
            Some((owner, name)) if part(owner) && part(name) => Ok(Self(text.to_owned())),
            Some(_) | None => Err(GithubRepoError),
        }
    }
}

impl fmt::Display for GithubRepo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The full name of a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommitId(String);

/// The text is not a full commit id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the 40 or 64 hexadecimal digits of a commit")]
pub struct CommitIdError;

impl CommitId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !matches!(text.len(), 40 | 64) || !text.bytes().all(digit) {
            return Err(CommitIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{GitUrl, GitUrlError, Protocol};

    #[test]
    fn the_usual_addresses_are_understood() {
        for (text, protocol) in [
            ("https://git.example.com/shop.git", Protocol::Https),
            ("http://127.0.0.1:3000/a/b", Protocol::Http),
            ("ssh://git@git.example.com:22/shop.git", Protocol::Ssh),
            ("git@github.com:octocat/my-app.git", Protocol::Ssh),
            ("git://git.example.com/shop", Protocol::Git),
            ("file:///srv/git/shop.git", Protocol::File),
            ("/srv/git/shop.git", Protocol::File),
            ("https://[::1]:8443/shop", Protocol::Https),
        ] {
            assert_eq!(text.parse::<GitUrl>().map(|url| url.protocol()), Ok(protocol), "{text}");
        }
    }

    #[test]
    fn what_runs_a_program_or_hides_a_password_is_refused() {
        for text in [
            "",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c id",
            "fd::17",
            "-oProxyCommand=x:y",
            "ssh://-oProxyCommand=x/y",
            "ssh://x@-oProxyCommand=y/z",
            "u@-oX:y",
            "ftp://a/b",
            "https://",
            "https://host",
            "https://host/",
            "relative/path",
            "../up",
            "https://a b/c",
            "https://host:99999/x",
            "file://host/x",
            "https://a/\u{202e}b",
        ] {
            assert_eq!(text.parse::<GitUrl>(), Err(GitUrlError::Form), "{text:?}");
        }
        for text in
            ["https://me:secret@host/x", "https://ghp_token@host/x", "ssh://me:secret@host/x"]
        {
            assert_eq!(text.parse::<GitUrl>(), Err(GitUrlError::Password), "{text:?}");
        }
    }
}
