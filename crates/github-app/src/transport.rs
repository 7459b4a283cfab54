//! How requests reach GitHub: TLS by ring and the machine's certificates, no redirections.

use std::{io, sync::Arc};

use http::{HeaderName, HeaderValue, Uri, header};
use http_body_util::Limited;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use octocrab::{
    AuthState, OctoBody, Octocrab, OctocrabBuilder,
    service::middleware::{base_uri::BaseUriLayer, extra_headers::ExtraHeadersLayer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::runtime::Handle;
use tower::util::MapResponseLayer;

use crate::{GitHubAppConfig, GitHubAppError};

/// Most bytes of an answer: more than a hundred comments of the greatest length.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What every request says.
const HEADERS: [(HeaderName, HeaderValue); 2] = [
    (header::ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
    // GitHub refuses requests without one.
    (header::USER_AGENT, HeaderValue::from_static(concat!("windlass/", env!("CARGO_PKG_VERSION")))),
];

/// A client without credentials.
pub(crate) fn octocrab(config: &GitHubAppConfig) -> Result<Octocrab, GitHubAppError> {
    config.check_api()?;
    let wrong = GitHubAppError::Misconfigured;
    let base: Uri = config
        .api
        .as_str()
        .parse()
        .map_err(|_| wrong("the address of GitHub's API is not one of HTTP".to_owned()))?;
    // octocrab hands requests to a task of its own.
    if Handle::try_current().is_err() {
        return Err(wrong("it is made outside of a Tokio runtime".to_owned()));
    }
    let connector = connector(&base).map_err(|err| {
        wrong(format!("the certificates of this machine's authorities cannot be read: {err}"))
    })?;
    let client: Client<_, OctoBody> = Client::builder(TokioExecutor::new()).build(connector);
    let limited = |response: http::Response<_>| response.map(|body| Limited::new(body, MOST_BYTES));
    let built = OctocrabBuilder::new_empty()
        .with_service(client)
        .with_layer(&MapResponseLayer::new(limited))
        .with_layer(&ExtraHeadersLayer::new(Arc::new(HEADERS.to_vec())))
        .with_layer(&BaseUriLayer::new(base))
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(octocrab) => Ok(octocrab),
        Err(never) => match never {},
    }
}

fn connector(base: &Uri) -> io::Result<HttpsConnector<HttpConnector>> {
    let builder = HttpsConnectorBuilder::new();
    if base.scheme_str() == Some("https") {
        let builder = builder.with_provider_and_native_roots(ring::default_provider())?;
        return Ok(builder.https_only().enable_http1().build());
    }
    // On this machine nothing is encrypted, and nobody trusted.
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(builder.with_tls_config(tls).https_or_http().enable_http1().build())
}
