//! What stands before every handler: who calls, which parameters, for how long.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    extract::{Query, Request, State},
    http::{HeaderMap, Uri, header},
    middleware::Next,
    response::Response,
};
use tokio::time::timeout;
use windlass_control::Caller;

use crate::{access::Access, app::Shared, problem::Problem, request_id::RequestId, wait::MAX_WAIT};

/// What one operation asks of every request.
pub(crate) struct Gate {
    app: Shared,
    needs_credential: bool,
    parameters: BTreeSet<String>,
    at_most: Duration,
}

impl Gate {
    pub(crate) fn new(app: Shared, access: Access, parameters: BTreeSet<String>) -> Self {
        let needs_credential = access.needs_credential(app.options.open_metrics);
        let waiting = if parameters.contains("wait") { MAX_WAIT } else { Duration::ZERO };
        let at_most = app.options.request_timeout.saturating_add(waiting);
        Self { app, needs_credential, parameters, at_most }
    }
}

/// Lets a request through to its handler; one that needs a [`Caller`] finds it in the request's
/// extensions.
pub(crate) async fn pass(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let answer = async {
        if gate.needs_credential {
            let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
            let principal = match &gate.app.everyone {
                Some(everyone) => Arc::clone(everyone),
                None => gate.app.control.authenticate(bearer(request.headers())?).await?,
            };
            let caller = Caller { principal, request_id };
            tracing::Span::current().record("caller", caller.principal.label());
            request.extensions_mut().insert(caller);
        }
        check_parameters(request.uri(), &gate.parameters)?;
        Ok(next.run(request).await)
    };
    timeout(gate.at_most, answer).await.unwrap_or_else(|_| Err(Problem::too_slow()))
}

/// The one bearer credential of a request (RFC 6750, section 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut presented = headers.get_all(header::AUTHORIZATION).into_iter();
    let Some(value) = presented.next() else {
        return Err(Problem::no_credential());
    };
    let credential = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential.trim());
    match (credential, presented.next()) {
        (Some(credential), None) if !credential.is_empty() => Ok(credential),
        _ => Err(Problem::invalid_credential()),
    }
}

/// Refuses query parameters that the operation does not know, comes to twice or cannot read.
fn check_parameters(uri: &Uri, known: &BTreeSet<String>) -> Result<(), Problem> {
    // What is not UTF-8 arrives as U+FFFD.
    let is_bad = |text: &str| text.chars().any(|c| c.is_control() || c == '\u{fffd}');
    let Ok(Query(given)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(Problem::bad_query("the query cannot be read"));
    };
    let mut seen = BTreeSet::new();
    for (name, value) in &given {
        if !known.contains(name) {
            let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let hint = if known.is_empty() { "there are none".to_owned() } else { list };
            let name = crate::problem::legible(name);
            return Err(Problem::bad_query(format!("unknown parameter `{name}`: known: {hint}")));
        }
        if !seen.insert(name) {
            return Err(Problem::bad_query(format!("`{name}` is given twice")));
        }
        if is_bad(value) {
            let message = format!("`{name}` must be UTF-8 without control characters");
            return Err(Problem::bad_query(message));
        }
    }
    Ok(())
}
