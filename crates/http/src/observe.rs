//! What happens to every request and answer: a name, a trace, a measure, a body for every error.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tracing::{Instrument, Span, field};

use crate::{
    app::Shared,
    problem::Problem,
    request_id::{RequestId, X_REQUEST_ID},
};

/// Set on every answer that has none of its own.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Wraps the whole service.
pub(crate) async fn observe(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers(), &*app.entropy);
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    let route = route.to_owned();
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        http.method = method,
        http.route = route,
        http.status = field::Empty,
        caller = field::Empty,
    );
    request.extensions_mut().insert(id.clone());
    app.options.proxies.note_client(&mut request);

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let response = span.in_scope(|| {
        let response = answer.unwrap_or_else(|_| Problem::panicked().into_response());
        let mut response = with_body(response, &id);
        dress(&mut response, &id);
        response
    });
    measure(&span, method, route, response.status().as_u16(), started);
    response
}

/// Gives every error our body, wherever it came from.
fn with_body(mut response: Response, id: &RequestId) -> Response {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return problem.render(response, id);
    }
    if status.is_client_error() || status.is_server_error() {
        // Not from a handler of ours: the router's own "not found" or "method not allowed".
        return Problem::of_status(status).render(response, id);
    }
    response
}

fn dress(response: &mut Response, id: &RequestId) {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(value) = id.header_value() {
        headers.insert(X_REQUEST_ID, value);
    }
}

fn measure(span: &Span, method: &'static str, route: String, status: u16, started: Instant) {
    let took = started.elapsed();
    span.record("http.status", status);
    span.in_scope(|| {
        let took_millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(http.took_millis = took_millis, "answered");
    });
    let requests = metrics::counter!(
        "windlass_http_requests_total",
        "method" => method,
        "route" => route.clone(),
        "status" => status.to_string(),
    );
    requests.increment(1);
    let durations = metrics::histogram!(
        "windlass_http_request_duration_seconds",
        "method" => method,
        "route" => route,
    );
    durations.record(took.as_secs_f64());
}

/// Anybody can make up methods; not every one becomes a series of its own.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
