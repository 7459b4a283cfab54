//! As whom a remote is asked.
//!
//! git gets the credential from a helper that is set for one origin (scheme, host and port), and the
//! helper has it from the environment. A header of ours (`http.extraHeader`) would be sent with every
//! request, whether somebody wants to know or not, also by git to where the origin redirects it, so
//! that all redirections would have to be forbidden. A helper is only called when the origin itself
//! wants to know, and git and curl forget what it said on the way to another one. A program for
//! `GIT_ASKPASS` would need a file, and would have to understand questions that are meant for people.

use std::net::IpAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use windlass_domain::{GitUrl, Protocol};

const USERNAME: &str = "WINDLASS_GIT_USERNAME";
const PASSWORD: &str = "WINDLASS_GIT_PASSWORD";

/// Answers `get`, and has nothing to `store` or to `erase`. The shell's own `printf` puts nothing on
/// a command line.
const HELPER: &str = "!f() { test \"$1\" = get || return 0; \
                      printf 'username=%s\\npassword=%s\\n' \
                      \"$WINDLASS_GIT_USERNAME\" \"$WINDLASS_GIT_PASSWORD\"; }; f";

/// Who asks, and what proves it.
#[derive(Debug, Clone)]
pub struct Credential {
    username: String,
    password: SecretString,
}

/// The texts cannot be a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a credential for git must be one line without control characters, and not empty")]
pub struct CredentialError;

impl Credential {
    /// A name such as `x-access-token`, and a password or token.
    pub fn new(
        username: impl Into<String>,
        password: SecretString,
    ) -> Result<Self, CredentialError> {
        let username = username.into();
        // Helpers answer line by line, so that a second line would say something else.
        let is_fine = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        if !is_fine(&username) || !is_fine(password.expose_secret()) {
            return Err(CredentialError);
        }
        Ok(Self { username, password })
    }
}

/// A credential for one origin.
pub(crate) struct Login<'a> {
    origin: &'a str,
    credential: &'a Credential,
}

impl<'a> Login<'a> {
    /// Nothing for a remote to which it must not or cannot be sent.
    pub(crate) fn new(url: &'a GitUrl, credential: &'a Credential) -> Option<Self> {
        let (scheme, rest) = url.as_str().split_once("://")?;
        let (authority, _) = rest.split_once('/')?;
        let is_fine = match url.protocol() {
            Protocol::Https => true,
            Protocol::Http => is_this_machine(authority),
            Protocol::Ssh | Protocol::Git | Protocol::File => false,
        };
        let origin = url.as_str().get(..scheme.len() + "://".len() + authority.len())?;
        is_fine.then_some(Self { origin, credential })
    }

    /// The setting by which git asks for it.
    pub(crate) fn setting(&self) -> (String, &'static str) {
        (format!("credential.{}.helper", self.origin), HELPER)
    }

    pub(crate) fn environment(&self) -> [(&'static str, &str); 2] {
        let Credential { username, password } = self.credential;
        [(USERNAME, username), (PASSWORD, password.expose_secret())]
    }

    /// What git printed, without what a remote may have repeated.
    pub(crate) fn removed_from(&self, text: &str) -> String {
        let Credential { username, password } = self.credential;
        let password = password.expose_secret();
        let sent = BASE64_STANDARD.encode(format!("{username}:{password}"));
        text.replace(password, "…").replace(&sent, "…")
    }
}

fn is_this_machine(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        Some(_) | None => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Credential, CredentialError, Login};

    #[test]
    fn a_credential_is_for_one_origin_and_is_not_sent_in_the_clear() {
        let credential = Credential::new("x-access-token", "hunter2".into()).unwrap();
        let origin = |url: &str| {
            let url = url.parse().unwrap();
            Login::new(&url, &credential).map(|login| login.origin.to_owned())
        };
        for (url, wanted) in [
            ("https://github.com/octo/shop.git", "https://github.com"),
            ("https://[::1]:8443/octo/shop", "https://[::1]:8443"),
            ("http://127.0.0.1:80/shop", "http://127.0.0.1:80"),
            ("http://[::1]/shop", "http://[::1]"),
            ("http://localhost/shop", "http://localhost"),
        ] {
            assert_eq!(origin(url).as_deref(), Some(wanted), "{url}");
        }
        for url in [
            "http://github.com/octo/shop.git",
            "http://localhost.example.com/shop",
            "git@github.com:octo/shop.git",
            "ssh://git@github.com/octo/shop.git",
            "git://localhost/shop",
            "file:///srv/shop.git",
            "/srv/shop.git",
        ] {
            assert_eq!(origin(url), None, "{url}");
        }
    }

    #[test]
    fn a_credential_is_one_line_and_shows_nothing() {
        for bad in ["", "a\nhost=example.com", "a\r", "a\0"] {
            assert_eq!(Credential::new("x", bad.into()).err(), Some(CredentialError), "{bad:?}");
            assert_eq!(Credential::new(bad, "x".into()).err(), Some(CredentialError), "{bad:?}");
        }
        let credential = Credential::new("x", "hunter2".into()).unwrap();
        assert!(!format!("{credential:?}").contains("hunter2"));
    }
}
