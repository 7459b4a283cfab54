//! The credentials that are stored, in a file that only its owner can read.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::files;
use crate::{client::Server, failure::Result};

const FILE: &str = "credentials.toml";

/// Credentials by profile.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Credentials(BTreeMap<String, Credential>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credential {
    /// The server that it is for.
    server: String,
    #[serde(serialize_with = "in_clear")]
    token: SecretString,
    #[serde(default)]
    origin: Origin,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// Somebody had it and has typed it in: it may be in use elsewhere.
    #[default]
    Given,
    /// It was made to be stored here.
    Login,
}

/// A credential that is stored no more.
#[derive(Debug)]
pub(crate) struct Forgotten {
    /// The server that it is for.
    pub(crate) server: String,
    pub(crate) token: SecretString,
    pub(crate) origin: Origin,
}

impl Credentials {
    pub(super) fn load() -> Result<Self> {
        Ok(files::read_private(FILE)?.unwrap_or_default())
    }

    pub(super) fn save(&self) -> Result<()> {
        files::write(FILE, self)
    }

    pub(super) fn has(&self, profile: &str) -> bool {
        self.0.contains_key(profile)
    }

    pub(super) fn token(&self, profile: &str, server: &Server) -> Option<SecretString> {
        let credential = self.0.get(profile)?;
        (credential.server == server.to_string()).then(|| credential.token.clone())
    }

    /// Puts one in the place of another, and gives that back.
    pub(super) fn put(
        &mut self,
        profile: &str,
        server: &Server,
        token: &SecretString,
        origin: Origin,
    ) -> Option<Forgotten> {
        let (server, token) = (server.to_string(), token.clone());
        let replaced = self.0.insert(profile.to_owned(), Credential { server, token, origin });
        replaced.map(Forgotten::from)
    }

    pub(super) fn remove(&mut self, profile: &str) -> Option<Forgotten> {
        self.0.remove(profile).map(Forgotten::from)
    }
}

impl From<Credential> for Forgotten {
    fn from(credential: Credential) -> Self {
        let Credential { server, token, origin } = credential;
        Self { server, token, origin }
    }
}

/// Into the one file that is made for it.
fn in_clear<S: Serializer>(token: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}
