//! What the handlers share.

use std::{ops::Deref, sync::Arc, time::Duration};

use axum::{
    extract::FromRef,
    http::{HeaderMap, Uri, header, uri::Authority},
};
use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use windlass_auth::Principal;
use windlass_control::Control;
use windlass_domain::{Clock, Entropy, HostLabel};

use crate::{
    client_address::TrustedProxies,
    limits::{Limits, RateLimits},
};

/// What the API is made of.
pub struct HttpState {
    /// The use cases.
    pub control: Control,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for request ids.
    pub entropy: Arc<dyn Entropy>,
    /// Renders what was measured.
    pub metrics: PrometheusHandle,
    /// Cancelled when the server stops: answers that go on for as long as somebody listens end.
    pub stopping: CancellationToken,
    /// Everything that can be configured.
    pub options: Options,
}

/// Everything about the API that can be configured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Under which addresses apps are reached.
    pub apps: AppAddress,
    /// Where everybody reaches the API, such as `https://windlass.example.com`; empty where that
    /// is wherever a client reaches it.
    pub public_url: String,
    /// Whether `/metrics` is for everybody.
    pub open_metrics: bool,
    /// The proxies in front of the server.
    pub proxies: TrustedProxies,
    /// How often somebody may ask.
    pub limits: RateLimits,
    /// How long a request may take. Time that a caller asks to wait comes on top.
    pub request_timeout: Duration,
}

/// Under which addresses apps are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppAddress {
    /// `http` or `https`.
    pub scheme: String,
    /// What follows an environment's own label, such as `localhost`.
    pub base_domain: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
}

impl AppAddress {
    /// The address of one environment.
    #[must_use]
    pub fn url(&self, host: &HostLabel) -> String {
        let Self { scheme, base_domain, port } = self;
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        format!("{scheme}://{host}.{base_domain}{port}")
    }
}

/// [`HttpState`] in the form in which handlers extract it.
pub(crate) struct App {
    pub(crate) control: Control,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) stopping: CancellationToken,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    /// The API's description as JSON.
    pub(crate) document: Bytes,
    /// Who calls, whatever is presented; only where credentials are measured.
    pub(crate) everyone: Option<Arc<Principal>>,
}

/// The one `App` that all handlers share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<App>);

impl Shared {
    pub(crate) fn new(state: HttpState, everyone: Option<Arc<Principal>>) -> Self {
        let HttpState { control, clock, entropy, metrics, stopping, options } = state;
        let document = serde_json::to_vec(&crate::openapi()).unwrap_or_default().into();
        let limits = Limits::new(options.limits, &clock);
        Self(Arc::new(App {
            control,
            clock,
            entropy,
            metrics,
            stopping,
            options,
            limits,
            document,
            everyone,
        }))
    }
}

impl App {
    /// Where the client itself reaches the server, unless the operator has said where everybody
    /// does.
    pub(crate) fn base(&self, uri: &Uri, headers: &HeaderMap) -> String {
        let public = self.options.public_url.trim_end_matches('/');
        if !public.is_empty() {
            return public.to_owned();
        }
        let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = uri.authority().map(Authority::as_str);
        format!("http://{}", authority.or(named).unwrap_or("localhost"))
    }
}

impl Deref for Shared {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl FromRef<Shared> for Control {
    fn from_ref(app: &Shared) -> Self {
        app.control.clone()
    }
}
