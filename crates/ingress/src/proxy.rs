//! The way of one request: find its app, send it there, bring the response back.

use std::{sync::Arc, time::Instant};

use http::{
    HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, uri::PathAndQuery,
};
use http_body::Body as _;
use hyper::{
    body::Incoming,
    upgrade::{self, OnUpgrade},
};
use tracing::Instrument as _;

use crate::{
    body::{RequestBody, ResponseBody},
    config::{External, IngressConfig, Limits},
    headers,
    host::RequestedHost,
    page::Page,
    pool::{self, ConnectError, Connection, Lease},
    progress::Progress,
    request_id::{RequestIds, X_REQUEST_ID},
    routes::{Outage, Route, RouteTable},
    server::ClientConnection,
    telemetry::{RequestInFlight, Telemetry, UpstreamError},
    tunnel::Tunnel,
    upstream::{InFlight, Upstream},
    waking::{Waking, Who},
};

/// What all requests share.
pub(crate) struct Proxy {
    base_domain: String,
    external: External,
    limits: Limits,
    routes: RouteTable,
    waking: Waking,
    ids: RequestIds,
    telemetry: Telemetry,
}

/// Why an app gave no response.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the app has no address")]
    NoAddress,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the app broke off: {0}")]
    Response(hyper::Error),
    #[error("the app changed the protocol without being asked to")]
    UnexpectedUpgrade,
    #[error("the client broke off: {0}")]
    Client(hyper::Error),
    #[error("the app did not respond in time")]
    TimedOut,
}

impl Failure {
    fn page(&self) -> Page {
        match self {
            Self::NoAddress | Self::Connect(_) => Page::unreachable(),
            Self::Response(_) | Self::UnexpectedUpgrade => Page::broken_response(),
            Self::Client(_) => Page::invalid_body(),
            Self::TimedOut => Page::timed_out(),
        }
    }

    fn kind(&self) -> Option<UpstreamError> {
        match self {
            Self::NoAddress | Self::Connect(_) => Some(UpstreamError::Connect),
            Self::Response(_) | Self::UnexpectedUpgrade => Some(UpstreamError::Response),
            Self::TimedOut => Some(UpstreamError::Timeout),
            Self::Client(_) => None,
        }
    }
}

/// A request as it is sent, as long as nothing of it was.
type Unsent = Request<RequestBody>;

/// What came of one address.
enum Attempt {
    Answered(Response<Incoming>, Lease),
    /// Another address may be tried.
    NotSent(Unsent, Failure),
    Failed(Failure),
}

/// A request to change the protocol.
struct UpgradeRequest {
    protocol: HeaderValue,
    client: OnUpgrade,
}

impl Proxy {
    pub(crate) fn new(config: IngressConfig) -> Self {
        let IngressConfig { base_domain, external, limits } = config;
        Self {
            base_domain: base_domain.trim_matches('.').to_ascii_lowercase(),
            external,
            limits,
            routes: RouteTable::new(limits),
            waking: Waking::new(&limits),
            ids: RequestIds::default(),
            telemetry: Telemetry::new(),
        }
    }

    pub(crate) fn routes(&self) -> &RouteTable {
        &self.routes
    }

    pub(crate) fn waking(&self) -> &Waking {
        &self.waking
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn external(&self) -> External {
        self.external
    }

    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Answers a request, whatever happens.
    pub(crate) async fn handle(
        &self,
        mut request: Request<Incoming>,
        connection: &Arc<ClientConnection>,
    ) -> Response<ResponseBody> {
        let began = Instant::now();
        let in_flight = self.telemetry.enter();
        let id = self.ids.ensure(request.headers_mut());
        let accept = request.headers().get(header::ACCEPT).cloned();
        let span = tracing::debug_span!("ingress", request_id = id.to_str().unwrap_or_default());
        let mut response = match self.route(request, connection).instrument(span).await {
            Ok(answer) => answer.respond(&self.limits, connection, in_flight),
            Err(page) => {
                let response = page.render(accept.as_ref(), &id);
                response.map(|bytes| ResponseBody::page(bytes, in_flight))
            }
        };
        response.headers_mut().entry(X_REQUEST_ID).or_insert(id);
        self.telemetry.answered(response.status(), began.elapsed());
        response
    }

    /// Finds the app that a request is for and has it answer.
    async fn route(
        &self,
        mut request: Request<Incoming>,
        connection: &ClientConnection,
    ) -> Result<Answer, Page> {
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return Err(Page::method_not_allowed());
        }
        if self.limits.uri_bytes < uri_length(request.uri()) {
            return Err(Page::uri_too_long());
        }
        let host = RequestedHost::of(request.uri(), request.headers())
            .map_err(|_| Page::invalid_host())?;
        let label = host.label(&self.base_domain).ok_or_else(Page::unknown_host)?;
        let upgrade = take_upgrade(&mut request);
        let progress = Progress::default();
        let request = prepare(request, connection, host.value.clone(), upgrade.as_ref(), &progress);
        self.send(&label, request, &progress, upgrade).await
    }

    /// Sends a request to the addresses of an app in turn until one takes it.
    async fn send(
        &self,
        label: &str,
        mut request: Unsent,
        progress: &Progress,
        upgrade: Option<UpgradeRequest>,
    ) -> Result<Answer, Page> {
        let mut waiting = None;
        'routed: loop {
            let route = self.routes.find(label).ok_or_else(Page::unknown_host)?;
            let app = match &*route {
                Route::App(app) => app,
                Route::Starting { message } => return Err(Page::starting(message.clone())),
                Route::Waking { message } | Route::Asleep { message } => {
                    let page = || Page::waking(message.clone());
                    let held = match &mut waiting {
                        Some(held) => held,
                        none => {
                            let who = Who::of(request.method(), request.headers());
                            let place = self.waking.hold(label, who, self.routes.changes());
                            none.insert(place.ok_or_else(page)?)
                        }
                    };
                    if matches!(*route, Route::Asleep { .. }) {
                        self.waking.call(label);
                    }
                    if !held.until_changed().await {
                        return Err(page());
                    }
                    continue 'routed;
                }
                Route::Unavailable { reason: Outage::Failed, message } => {
                    return Err(Page::failed(message.clone()));
                }
                Route::Unavailable { reason: Outage::Stopped, message } => {
                    return Err(Page::stopped(message.clone()));
                }
                Route::Unavailable { reason: Outage::Paused, message } => {
                    return Err(Page::paused(message.clone()));
                }
            };
            let mut failure = Failure::NoAddress;
            let turn = app.turn();
            let mut tried = 0;
            while let Some(upstream) = app.upstream(turn, tried) {
                let Some(in_flight) = upstream.enter() else { continue 'routed };
                match self.attempt(upstream, in_flight, request, progress).await {
                    Attempt::Answered(response, lease) => {
                        match Answer::new(response, lease, upgrade) {
                            Ok(answer) => return Ok(answer),
                            Err(failure) => return Err(self.failed(&failure, label, &app.id)),
                        }
                    }
                    Attempt::NotSent(unsent, reason) => {
                        request = unsent;
                        failure = reason;
                        tried += 1;
                    }
                    Attempt::Failed(failure) => {
                        return Err(self.failed(&failure, label, &app.id));
                    }
                }
            }
            return Err(self.failed(&failure, label, &app.id));
        }
    }

    /// Sends a request to one address: over a kept connection, or a new one where the kept ones
    /// were closed before anything was sent.
    async fn attempt(
        &self,
        upstream: &Upstream,
        in_flight: InFlight,
        mut request: Unsent,
        progress: &Progress,
    ) -> Attempt {
        loop {
            let kept = upstream.pool().take();
            let is_kept = kept.is_some();
            let mut connection: Connection = match kept {
                Some(connection) => connection,
                None => match pool::connect(upstream.address(), &self.limits).await {
                    Ok(connection) => connection,
                    Err(error) => return Attempt::NotSent(request, error.into()),
                },
            };
            let response = connection.try_send_request(request);
            match progress.until_still(self.limits.response, response).await {
                None => return Attempt::Failed(Failure::TimedOut),
                Some(Ok(response)) => {
                    return Attempt::Answered(response, Lease::new(connection, in_flight));
                }
                Some(Err(mut error)) => match error.take_message() {
                    Some(unsent) if is_kept => request = unsent,
                    Some(unsent) => {
                        return Attempt::NotSent(unsent, Failure::Response(error.into_error()));
                    }
                    None => {
                        let error = error.into_error();
                        let is_ours = error.is_user();
                        let failure = if is_ours { Failure::Client } else { Failure::Response };
                        return Attempt::Failed(failure(error));
                    }
                },
            }
        }
    }

    fn failed(&self, failure: &Failure, label: &str, app: &str) -> Page {
        if let Some(kind) = failure.kind() {
            self.telemetry.upstream_failed(kind);
        }
        tracing::debug!(label, app, error = %failure, "an app gave no response");
        failure.page()
    }
}

/// An app's response, with what has to be done with it.
struct Answer {
    response: Response<Incoming>,
    lease: Lease,
    /// The connection leaves HTTP.
    upgrade: Option<UpgradeRequest>,
}

impl Answer {
    fn new(
        response: Response<Incoming>,
        lease: Lease,
        upgrade: Option<UpgradeRequest>,
    ) -> Result<Self, Failure> {
        let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if is_upgrade && upgrade.is_none() {
            return Err(Failure::UnexpectedUpgrade);
        }
        Ok(Self { response, lease, upgrade: upgrade.filter(|_| is_upgrade) })
    }

    fn respond(
        self,
        limits: &Limits,
        connection: &Arc<ClientConnection>,
        in_flight: RequestInFlight,
    ) -> Response<ResponseBody> {
        let Self { mut response, lease, upgrade } = self;
        let app_protocol = response.headers().get(header::UPGRADE).cloned();
        headers::prepare_response(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        let Some(UpgradeRequest { protocol, client }) = upgrade else {
            return response.map(|body| ResponseBody::app(body, lease, in_flight));
        };
        let app = upgrade::on(&mut response);
        headers::announce_upgrade(response.headers_mut(), app_protocol.unwrap_or(protocol));
        let idle = limits.tunnel_idle;
        connection.spawn_tunnel(|closing| Tunnel { client, app, lease, in_flight, idle, closing });
        response.map(|_| ResponseBody::nothing())
    }
}

fn take_upgrade(request: &mut Request<Incoming>) -> Option<UpgradeRequest> {
    let protocol = headers::requested_upgrade(request.headers())?;
    // Hyper puts it there for HTTP/1.1 alone.
    let client = request.extensions_mut().remove::<OnUpgrade>()?;
    Some(UpgradeRequest { protocol, client })
}

/// Makes a client's request the one that the app gets.
fn prepare(
    mut request: Request<Incoming>,
    connection: &ClientConnection,
    host: HeaderValue,
    upgrade: Option<&UpgradeRequest>,
    progress: &Progress,
) -> Unsent {
    *request.version_mut() = Version::HTTP_11;
    if request.uri().authority().is_some() {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
    let has_unknown_length =
        !request.body().is_end_stream() && request.body().size_hint().exact().is_none();
    let headers = request.headers_mut();
    headers::prepare_request(headers, connection.client(), host);
    if let Some(upgrade) = upgrade {
        headers::announce_upgrade(headers, upgrade.protocol.clone());
    }
    if has_unknown_length {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request.map(|body| RequestBody::new(body, progress.clone()))
}

fn uri_length(uri: &Uri) -> usize {
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    authority + uri.path_and_query().map_or(0, |path| path.as_str().len())
}
