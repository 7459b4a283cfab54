//! The way of one request: find its app, send it there, bring the response back.

use std::{borrow::Cow, sync::Arc, time::Instant};

use http::{HeaderValue, Method, Request, Response, Uri, Version, header, uri::PathAndQuery};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::{
    answer::{Answer, UpgradeRequest},
    body::{RequestBody, ResponseBody},
    challenges::Challenges,
    config::{External, HttpsRedirect, IngressConfig, Limits, Scheme},
    connection::ClientConnection,
    failure::Failure,
    headers,
    host::{HTTPS_PORT, Place, RequestedHost},
    own::OwnAnswer,
    page::Page,
    pool::{self, Connection, Lease},
    progress::Progress,
    request_id::{RequestIds, X_REQUEST_ID},
    routes::{Outage, Route, RouteTable},
    telemetry::Telemetry,
    upstream::{InFlight, Upstream},
    waking::{Waking, Who},
};

/// What all requests share.
pub(crate) struct Proxy {
    base_domain: String,
    external: External,
    https: Option<HttpsRedirect>,
    limits: Limits,
    places: Arc<Semaphore>,
    challenges: Challenges,
    routes: RouteTable,
    waking: Waking,
    ids: RequestIds,
    telemetry: Telemetry,
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

impl Proxy {
    pub(crate) fn new(config: IngressConfig) -> Self {
        let IngressConfig { base_domain, external, https, limits } = config;
        let places = limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            base_domain: base_domain.trim_matches('.').to_ascii_lowercase(),
            external,
            https,
            limits,
            places: Arc::new(Semaphore::new(places)),
            challenges: Challenges::default(),
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

    /// The places for connections of clients.
    pub(crate) fn places(&self) -> &Arc<Semaphore> {
        &self.places
    }

    pub(crate) fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// Where clients see the listeners without TLS of the proxy's own.
    pub(crate) fn external(&self) -> External {
        self.external
    }

    /// Where they see those with it.
    pub(crate) fn external_with_tls(&self) -> External {
        let port = match (self.https, self.external.scheme) {
            (Some(https), _) => https.port,
            (None, Scheme::Https) => self.external.port,
            (None, Scheme::Http) => HTTPS_PORT,
        };
        External { scheme: Scheme::Https, port }
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
        let in_flight = self.telemetry.enter(connection.open_stream());
        let id = self.ids.ensure(request.headers_mut());
        let accept = request.headers().get(header::ACCEPT).cloned();
        let span = tracing::debug_span!("ingress", request_id = id.to_str().unwrap_or_default());
        let mut response = match self.route(request, connection).instrument(span).await {
            Ok(answer) => answer.respond(&self.limits, connection, in_flight),
            Err(own) => {
                let response = own.render(accept.as_ref(), &id);
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
    ) -> Result<Answer, OwnAnswer> {
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return Err(Page::method_not_allowed().into());
        }
        if self.limits.uri_bytes < uri_length(request.uri()) {
            return Err(Page::uri_too_long().into());
        }
        let host = RequestedHost::of(request.version(), request.uri(), request.headers())
            .map_err(|_| Page::invalid_host())?;
        let name = host.name();
        if let Some(text) = self.challenges.answer(request.uri().path()) {
            return Err(OwnAnswer::KeyAuthorization(text));
        }
        match (connection.secured(), self.https) {
            (Some(secured), _) if !secured.is_for(&name) => return Err(Page::misdirected().into()),
            (None, Some(https)) => return Err(OwnAnswer::redirect(&host, https, request.uri())),
            (Some(_), _) | (None, None) => {}
        }
        let label = self.label(&name).ok_or_else(Page::unknown_host)?;
        let upgrade = UpgradeRequest::take(&mut request);
        let progress = Progress::default();
        let request = prepare(request, connection, host.value.clone(), upgrade.as_ref(), &progress);
        Ok(self.send(&label, request, &progress, upgrade).await?)
    }

    /// The label that a host name consists of or stands for.
    fn label<'a>(&self, name: &'a str) -> Option<Cow<'a, str>> {
        match Place::of(name, &self.base_domain) {
            Place::Label(label) => Some(Cow::Borrowed(label)),
            Place::Under => None,
            Place::Elsewhere => self.routes.alias(name).map(|label| Cow::Owned(label.to_string())),
        }
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
                            let changes = self.routes.changes();
                            let place = self.waking.hold(label, who, changes);
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
    let length = request.body().size_hint().exact();
    let has_unknown_length = !request.body().is_end_stream() && length.is_none();
    let headers = request.headers_mut();
    headers::restate_length(headers, length);
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
