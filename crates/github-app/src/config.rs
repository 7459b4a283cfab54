//! As which App Windlass is registered, and where GitHub is.

use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use crate::GitHubAppError;

/// As which App Windlass is registered, and where GitHub is.
#[derive(Debug, Clone)]
pub struct GitHubAppConfig {
    /// The App's number, from its settings.
    pub app_id: u64,
    /// Its private key, as GitHub gives it: PEM, RSA.
    pub private_key: SecretString,
    /// Where the API is: `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server.
    pub api: Url,
    /// How long one request may take. A call makes several.
    pub timeout: Duration,
}

impl GitHubAppConfig {
    /// Refuses an address to which secrets must not be sent; one on this machine is fine.
    pub(crate) fn check_api(&self) -> Result<(), GitHubAppError> {
        let api = &self.api;
        let wrong =
            |why: &str| GitHubAppError::Misconfigured(format!("the address of GitHub's API {why}"));
        let is_here = match api.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong("must name a host")),
        };
        // What else stands in it may be a secret, so it is not repeated.
        if !api.username().is_empty() || api.password().is_some() {
            return Err(wrong("must not contain a user name or a password"));
        }
        if api.query().is_some() || api.fragment().is_some() {
            return Err(wrong("must end with its path"));
        }
        match api.scheme() {
            "https" => Ok(()),
            "http" if is_here => Ok(()),
            _ => Err(wrong("must begin with `https://`: tokens are sent there")),
        }
    }
}
