//! What a command works with.

use std::cell::OnceCell;

use crate::{
    arguments::Global,
    client::Client,
    failure::{Failure, Result},
    output::Output,
    profile::{Profile, Profiles},
};

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) global: Global,
    client: OnceCell<Client>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self { output: Output::new(global.json), global, client: OnceCell::new() }
    }

    /// The server and the credential that are meant.
    pub(crate) fn profile(&self) -> Result<Profile> {
        self.profile_at(None)
    }

    /// The same, where a command names the server itself.
    pub(crate) fn profile_at(&self, named: Option<&str>) -> Result<Profile> {
        let Global { json: _, profile, server } = &self.global;
        Profiles::load()?.choose(profile.as_deref(), named.or(server.as_deref()))
    }

    /// Talks to the server that is meant, with its credential.
    pub(crate) fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let Profile { name: _, server, token } = self.profile()?;
        let token = token.ok_or_else(|| Failure::NotLoggedIn { server: server.to_string() })?;
        Ok(self.client.get_or_init(|| Client::new(server, token)))
    }
}
