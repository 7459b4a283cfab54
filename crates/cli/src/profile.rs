//! Which server is meant, and with which credential.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    client::Server,
    environment,
    failure::{Failure, Result},
};

mod credentials;
mod files;

use self::credentials::Credentials;
pub(crate) use self::{
    credentials::{Forgotten, Origin},
    files::history,
};

/// The profile of somebody who never named one.
const DEFAULT: &str = "default";
const CONFIG: &str = "config.toml";

/// A server, and the credential to use there if there is one.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) server: Server,
    pub(crate) token: Option<SecretString>,
}

/// What is stored: the configuration, which has no secrets, and the credentials.
#[derive(Debug)]
pub(crate) struct Profiles {
    config: Config,
    credentials: Credentials,
}

/// The configuration file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The profile that is used where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    server: String,
}

/// A stored profile as it may be shown.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) has_credential: bool,
    pub(crate) is_current: bool,
}

impl Profiles {
    pub(crate) fn load() -> Result<Self> {
        let config = files::read(CONFIG)?.unwrap_or_default();
        Ok(Self { config, credentials: Credentials::load()? })
    }

    /// The profile that is meant, its server replaced by another if one is named. A stored
    /// credential goes to the server that it is for, and to no other.
    pub(crate) fn choose(&self, name: Option<&str>, server: Option<&str>) -> Result<Profile> {
        let name = name.unwrap_or(self.current());
        let stored = self.config.profiles.get(name).map(|entry| entry.server.as_str());
        let server = match server.or(stored) {
            Some(text) => text.parse()?,
            None => Server::default_one(),
        };
        let stored = || self.credentials.token(name, &server);
        let token = environment::token().or_else(stored);
        Ok(Profile { name: name.to_owned(), server, token })
    }

    /// Stores a profile, and gives the credential whose place is taken. The first one becomes the
    /// one that is used where none is named.
    pub(crate) fn store(mut self, profile: &Profile, origin: Origin) -> Result<Option<Forgotten>> {
        let Profile { name, server, token } = profile;
        let mut replaced = None;
        if let Some(token) = token {
            replaced = self.credentials.put(name, server, token, origin);
            self.credentials.save()?;
        }
        let entry = Entry { server: server.to_string() };
        self.config.profiles.insert(name.clone(), entry);
        self.config.profile.get_or_insert_with(|| name.clone());
        files::write(CONFIG, &self.config)?;
        Ok(replaced)
    }

    /// Forgets a profile's credential, and gives it back if there was one.
    pub(crate) fn forget_credential(&mut self, name: &str) -> Result<Option<Forgotten>> {
        let forgotten = self.credentials.remove(name);
        if forgotten.is_some() {
            self.credentials.save()?;
        }
        Ok(forgotten)
    }

    /// Forgets a profile, and gives back its credential if there was one.
    pub(crate) fn remove(mut self, name: &str) -> Result<Option<Forgotten>> {
        if self.config.profiles.remove(name).is_none() {
            return Err(unknown(name));
        }
        let forgotten = self.forget_credential(name)?;
        self.config.profile.take_if(|current| current == name);
        files::write(CONFIG, &self.config)?;
        Ok(forgotten)
    }

    /// Makes a profile the one that is used where none is named.
    pub(crate) fn make_current(mut self, name: &str) -> Result<()> {
        if !self.config.profiles.contains_key(name) {
            return Err(unknown(name));
        }
        self.config.profile = Some(name.to_owned());
        files::write(CONFIG, &self.config)
    }

    pub(crate) fn current(&self) -> &str {
        self.config.profile.as_deref().unwrap_or(DEFAULT)
    }

    pub(crate) fn list(&self) -> Vec<Listed> {
        let profiles = self.config.profiles.iter();
        profiles
            .map(|(name, Entry { server })| Listed {
                name: name.clone(),
                server: server.clone(),
                has_credential: self.credentials.has(name),
                is_current: name == self.current(),
            })
            .collect()
    }
}

fn unknown(name: &str) -> Failure {
    Failure::NotFound(format!("profile {name}; `windlass profiles list` shows those there are"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn profiles() -> Profiles {
        let server: Server = "https://a.example.com".parse().unwrap();
        let mut credentials = Credentials::default();
        credentials.put("work", &server, &"secret".into(), Origin::Given);
        let entry = Entry { server: server.to_string() };
        let profiles = BTreeMap::from([("work".to_owned(), entry)]);
        Profiles { config: Config { profile: Some("work".to_owned()), profiles }, credentials }
    }

    #[test]
    fn the_current_profile_is_used_where_none_is_named() {
        let profile = profiles().choose(None, None).unwrap();
        assert_eq!(profile.server.to_string(), "https://a.example.com");
        assert_eq!(profile.token.unwrap().expose_secret(), "secret");
    }

    #[test]
    fn a_stored_credential_goes_to_its_own_server_alone() {
        let profile = profiles().choose(Some("work"), Some("https://b.example.com")).unwrap();
        assert!(profile.token.is_none());
    }

    #[test]
    fn a_profile_that_is_not_stored_has_a_server_and_no_credential() {
        let profile = profiles().choose(Some("home"), None).unwrap();
        assert_eq!(profile.server, Server::default_one());
        assert!(profile.token.is_none());
    }

    #[test]
    fn what_is_listed_has_no_credential_in_it() {
        let listed = serde_json::to_string(&profiles().list()).unwrap();
        assert!(listed.contains("\"has_credential\":true"), "{listed}");
        assert!(!listed.contains("secret"), "{listed}");
    }
}
