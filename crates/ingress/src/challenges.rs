//! How the proxy shows to a certificate authority that it answers at a host.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Where authorities look (RFC 8555, 8.3).
const PREFIX: &str = "/.well-known/acme-challenge/";

/// What certificate authorities are to find, by token; clones share it. As long as a token is
/// here, no app hears of requests for it, whatever their host.
#[derive(Debug, Clone, Default)]
pub struct Challenges {
    by_token: Arc<Mutex<HashMap<String, String>>>,
}

impl Challenges {
    /// Answers requests for a token with its key authorization.
    pub fn set(&self, token: &str, key_authorization: &str) {
        self.lock().insert(token.to_owned(), key_authorization.to_owned());
    }

    /// Leaves requests for a token to the apps again.
    pub fn remove(&self, token: &str) {
        self.lock().remove(token);
    }

    /// The answer to a request for `path`, if it is for a token that is here.
    pub(crate) fn answer(&self, path: &str) -> Option<String> {
        self.lock().get(path.strip_prefix(PREFIX)?).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
