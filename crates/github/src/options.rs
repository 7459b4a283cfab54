//! Where GitHub is, and as what this server is registered there.

use std::net::IpAddr;

use oauth2::url::{Host, ParseError, Url};
use secrecy::SecretString;

/// Where GitHub is, and as what this server is registered there.
#[derive(Debug, Clone)]
pub struct GithubOptions {
    /// The client id of the OAuth app (or GitHub App).
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Where people sign in: `https://github.com`, or the address of a GitHub Enterprise Server.
    pub url: String,
    /// Where its API is: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api_url: String,
}

/// Why GitHub cannot be asked with these options.
#[derive(Debug, thiserror::Error)]
pub enum GithubOptionsError {
    /// It is no address.
    #[error("`{address}` is not an address")]
    Address {
        /// What it is instead.
        address: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// Secrets would be sent to it in the clear.
    #[error("`{0}` must begin with `https://`: the secret of this server is sent there")]
    Plain(String),
}

impl GithubOptions {
    /// The address of something that people or this server go to.
    pub(crate) fn page(&self, path: &str) -> Result<Url, GithubOptionsError> {
        checked(&format!("{}{path}", self.url.trim_end_matches('/')))
    }

    /// Where its API is, without a slash at the end.
    pub(crate) fn checked_api_url(&self) -> Result<String, GithubOptionsError> {
        let url = self.api_url.trim_end_matches('/');
        checked(url)?;
        Ok(url.to_owned())
    }
}

/// An address to which a secret can be sent; one on this machine is one, too.
fn checked(address: &str) -> Result<Url, GithubOptionsError> {
    let url: Url = address
        .parse()
        .map_err(|source| GithubOptionsError::Address { address: address.to_owned(), source })?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(GithubOptionsError::Plain(address.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{GithubOptions, GithubOptionsError};
    use crate::Github;

    fn with(url: &str, api_url: &str) -> Result<Github, GithubOptionsError> {
        Github::new(GithubOptions {
            client_id: "Iv1.0123456789abcdef".to_owned(),
            client_secret: "hunter2".into(),
            url: url.to_owned(),
            api_url: api_url.to_owned(),
        })
    }

    #[test]
    fn secrets_are_sent_over_tls_or_not_beyond_this_machine() {
        for (url, api_url) in [
            ("https://github.com", "https://api.github.com"),
            ("https://github.example.com/", "https://github.example.com/api/v3/"),
            ("http://127.0.0.1:1234", "http://localhost:1234/api/v3"),
            ("http://[::1]:1234", "http://127.0.0.1:1"),
        ] {
            assert!(with(url, api_url).is_ok(), "{url} {api_url}");
        }
        let good = "https://github.com";
        for wrong in ["http://github.com", "http://localhost.example.com", "ftp://github.com", ""] {
            for (url, api_url) in [(wrong, good), (good, wrong)] {
                let err = with(url, api_url).unwrap_err();
                assert!(!format!("{err:?}").contains("hunter2"), "{err:?}");
            }
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        let github = with("https://github.com", "https://api.github.com").unwrap();
        assert!(!format!("{github:?}").contains("hunter2"));
    }
}
