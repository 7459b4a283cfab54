//! One request to GitHub's API.

use std::{sync::Arc, time::Duration};

use http::{Method, Request, Uri};
use octocrab::{FromResponse, Octocrab, Page, map_github_error};
use secrecy::SecretString;
use serde_json::Value;
use windlass_domain::Clock;

use crate::{GitHubAppConfig, GitHubAppError, fault::Fault, transport};

/// Most pages that are looked through: ten thousand things.
const MOST_PAGES: usize = 100;

/// GitHub's API.
pub(crate) struct Api {
    octocrab: Octocrab,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// What is asked for, below the address of the API.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    route: String,
    body: Option<Value>,
}

impl Ask {
    pub(crate) fn get(route: impl Into<String>) -> Self {
        Self { method: Method::GET, route: route.into(), body: None }
    }

    pub(crate) fn post(route: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, route: route.into(), body: Some(body) }
    }

    pub(crate) fn patch(route: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PATCH, route: route.into(), body: Some(body) }
    }
}

impl Api {
    pub(crate) fn new(
        config: &GitHubAppConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GitHubAppError> {
        Ok(Self { octocrab: transport::octocrab(config)?, timeout: config.timeout, clock })
    }

    /// Asks with a token of whichever kind.
    pub(crate) async fn ask<T: FromResponse>(
        &self,
        token: &SecretString,
        ask: &Ask,
    ) -> Result<T, Fault> {
        let asked = tokio::time::timeout(self.timeout, self.send(token, ask)).await;
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(err)) => Err(Fault::new(err, self.clock.now(), token)),
            Err(_) => {
                let seconds = self.timeout.as_secs_f32();
                Err(Fault::unavailable(&format!("it did not answer within {seconds} seconds")))
            }
        }
    }

    async fn send<T: FromResponse>(
        &self,
        token: &SecretString,
        ask: &Ask,
    ) -> Result<T, octocrab::Error> {
        let octocrab = self.octocrab.user_access_token(token.clone())?;
        let request = Request::builder().method(ask.method.clone()).uri(&ask.route);
        let request = octocrab.build_request(request, ask.body.as_ref())?;
        let response = octocrab.execute(request).await?;
        T::from_response(map_github_error(response).await?).await
    }
}

/// The page after this one. Only its path is taken: the token goes to no other host.
pub(crate) fn next_page<T>(page: &Page<T>) -> Option<Ask> {
    page.next.as_ref().and_then(Uri::path_and_query).map(|route| Ask::get(route.as_str()))
}

/// The numbers of the pages that may be looked at.
pub(crate) fn pages() -> std::ops::Range<usize> {
    0..MOST_PAGES
}

/// A route with what is wanted of it.
pub(crate) fn with_query(route: &str, query: &[(&str, &str)]) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(query);
    format!("{route}?{}", pairs.finish())
}
