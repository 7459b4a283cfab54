//! Who somebody is on GitHub: its OAuth web flow, and two reads of its API.
//!
//! The server keeps nothing that GitHub gives: the access token lives for as long as the two reads
//! take. Redirections are not followed, answers are small or refused, and nothing takes longer than
//! some seconds.

mod api;
mod http;
mod oauth;
mod options;

pub use crate::options::{GithubOptions, GithubOptionsError};

use std::{error::Error, fmt, sync::Arc};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::{sync::Semaphore, task::spawn_blocking};
use windlass_auth::{Detour, IdentityService, IdentityServiceError, KnownElsewhere};

use crate::{http::Http, oauth::Registration};

/// How many people are looked up at once; the others wait.
const AT_ONCE: usize = 8;

/// GitHub, as far as signing in is concerned.
pub struct Github {
    registration: Arc<Registration>,
    api_url: Arc<str>,
    http: Http,
    turns: Arc<Semaphore>,
}

impl Github {
    /// Sets it up; nothing is asked yet.
    pub fn new(options: GithubOptions) -> Result<Self, GithubOptionsError> {
        let api_url = options.checked_api_url()?;
        Ok(Self {
            registration: Arc::new(Registration::new(options)?),
            api_url: api_url.into(),
            http: Http::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

#[async_trait]
impl IdentityService for Github {
    fn address(&self, detour: &Detour) -> Result<String, IdentityServiceError> {
        self.registration.address(detour)
    }

    async fn identify(
        &self,
        detour: Detour,
        code: SecretString,
    ) -> Result<KnownElsewhere, IdentityServiceError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(unavailable)?;
        let (registration, http) = (Arc::clone(&self.registration), self.http.clone());
        let api_url = Arc::clone(&self.api_url);
        let looked_up = spawn_blocking(move || {
            // Whoever is no longer waited for goes on taking up a place.
            let _turn = turn;
            let token = registration.redeem(&http, &detour, &code)?;
            api::look_up(&http, &api_url, &token)
        });
        looked_up.await.map_err(unavailable)?
    }
}

fn unavailable(cause: impl Error + Send + Sync + 'static) -> IdentityServiceError {
    IdentityServiceError::Unavailable(Box::new(cause))
}

impl fmt::Debug for Github {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Github").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}
