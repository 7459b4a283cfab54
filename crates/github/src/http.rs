//! Asks GitHub over HTTP.

use std::time::Duration;

use oauth2::{
    HttpRequest, HttpResponse,
    http::{HeaderValue, header},
};
use ureq::{
    Agent,
    tls::{RootCerts, TlsConfig},
};

/// How long one answer may take. There are three.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Most bytes of an answer: many times those of a person with a hundred addresses.
const MOST_BYTES: u64 = 128 * 1024;

/// Asks, without following redirections: they could lead secrets elsewhere.
#[derive(Clone)]
pub(crate) struct Http(Agent);

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// It did not come, or not in time, or is too long.
    #[error("no answer")]
    Http(#[from] ureq::Error),
    /// The request cannot be made.
    #[error("no request")]
    Request(#[from] oauth2::http::Error),
    /// It is none of those that are documented.
    #[error("an answer of status {0}")]
    Status(u16),
    /// It is not what it should be.
    #[error("an answer that cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

impl Http {
    pub(crate) fn new() -> Self {
        // The machine's own certificates: an Enterprise Server may have its own authority.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            // GitHub refuses requests without one.
            .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Self(agent)
    }

    pub(crate) fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        if let Some(credential) = request.headers_mut().get_mut(header::AUTHORIZATION) {
            HeaderValue::set_sensitive(credential, true);
        }
        let response = self.0.run(request)?;
        let (head, mut body) = response.into_parts();
        let body = body.with_config().limit(MOST_BYTES).read_to_vec()?;
        Ok(HttpResponse::from_parts(head, body))
    }
}
