//! Errors, as the client sees them.

mod body;
mod from;

pub(crate) use self::body::{ErrorBody, FieldError};

use std::{error::Error, fmt, sync::Arc};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use windlass_auth::{CredentialKind, Scope};
use windlass_control::Causes;
use windlass_domain::is_unprintable;

use crate::{
    access::Access,
    limits::{RATE_LIMIT, RATE_LIMIT_POLICY},
    pages,
    request_id::RequestId,
};

/// After how many seconds to try again, where nothing more is known.
const RETRY_SECONDS: u32 = 2;

/// A failed request.
///
/// As a response it travels without a body: what wraps the whole service renders it, because only
/// that knows the request's id, and logs it, once.
#[derive(Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
    fields: Vec<FieldError>,
    challenge: Option<Box<str>>,
    /// What the credential lacks.
    lacking: Option<Scope>,
    /// After how many seconds it is worth trying again.
    retry_after: Option<u32>,
    /// Whether somebody looks at it in a browser.
    is_page: bool,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
            fields: Vec::new(),
            challenge: None,
            lacking: None,
            retry_after: None,
            is_page: false,
            source: None,
        }
    }

    /// 400: the body or a header cannot be read as what it should be.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// 400: a query parameter cannot be read as what it should be.
    pub(crate) fn bad_query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_query", message)
    }

    /// 422: each of these fields has a value that cannot be accepted.
    pub(crate) fn invalid(fields: Vec<FieldError>) -> Self {
        let list = fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self {
            fields,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", legible(&list))
        }
    }

    /// 404: it is not there, or the caller may not know that it is.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("no such {what}"))
    }

    /// 401: nothing was presented.
    pub(crate) fn no_credential() -> Self {
        Self {
            challenge: Some("Bearer".into()),
            ..Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "No authentication provided")
        }
    }

    /// 401: what was presented is malformed, unknown, wrong, expired or revoked; no more is told.
    pub(crate) fn invalid_credential(kind: CredentialKind) -> Self {
        let message = format!("Invalid or expired {kind}");
        Self {
            challenge: Some("Bearer error=\"invalid_token\"".into()),
            ..Self::new(StatusCode::UNAUTHORIZED, "invalid_credential", message)
        }
    }

    /// 403: the credential grants too little.
    pub(crate) fn insufficient_scope(scope: Scope) -> Self {
        Self {
            challenge: Some(
                format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"").into(),
            ),
            lacking: Some(scope),
            ..Self::new(
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                format!("API key does not have '{scope}' scope"),
            )
        }
    }

    /// Names what is lacking by the name that an operation's permission has there.
    pub(crate) fn name_as_known(&mut self, access: Access) {
        let own = access.permission().map(Scope::Permission);
        if let Some(scope) = access.scope().filter(|_| own.is_some() && own == self.lacking) {
            *self = Self::insufficient_scope(scope);
        }
    }

    /// Names the credential that lacks something, where it is no API key.
    pub(crate) fn blame(&mut self, credential: CredentialKind) {
        let Some(scope) = self.lacking else { return };
        self.message = match credential {
            CredentialKind::ApiKey => return,
            CredentialKind::Token => format!("Token does not have '{scope}' scope"),
            CredentialKind::Session => format!("Your role does not have '{scope}' scope"),
        };
    }

    /// 403: the credential opens another organization than the one that was named.
    pub(crate) fn wrong_organization() -> Self {
        let message = "the credential belongs to another organization";
        Self::new(StatusCode::FORBIDDEN, "wrong_organization", message)
    }

    /// 403: the credential may not be used from where the request comes from.
    pub(crate) fn wrong_address(credential: CredentialKind) -> Self {
        let message = match credential {
            CredentialKind::ApiKey => "API key may not be used from this address",
            CredentialKind::Token => "Token may not be used from this address",
            CredentialKind::Session => "Session may not be used from this address",
        };
        Self::new(StatusCode::FORBIDDEN, "address_not_allowed", message)
    }

    /// 429: too many requests, until some seconds have passed.
    pub(crate) fn too_many(seconds: u32) -> Self {
        let message = "too many requests, try again later";
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        refused.with_retry_after(seconds)
    }

    /// 401: there is no such account, or it has another password.
    pub(crate) fn wrong_password() -> Self {
        let message = "Wrong e-mail address or password";
        Self {
            challenge: Some("Bearer".into()),
            ..Self::new(StatusCode::UNAUTHORIZED, "wrong_password", message)
        }
    }

    /// 403: only a person who has signed in may do it.
    pub(crate) fn needs_session() -> Self {
        let message = "this is for people who have signed in, not for API keys and tokens";
        Self::new(StatusCode::FORBIDDEN, "session_required", message)
    }

    /// 403: a browser sends its session along, but not for one of our own pages.
    pub(crate) fn foreign_origin() -> Self {
        let message = "with a session, changes are accepted from this server's own pages only: \
                       `Sec-Fetch-Site` must be `same-origin`, or `Origin` must name this server";
        Self::new(StatusCode::FORBIDDEN, "foreign_origin", message)
    }

    /// 429: trying again after a while may work.
    pub(crate) fn too_many_attempts(retry_after: TimeDelta) -> Self {
        let message = "too many failed attempts to sign in: see `Retry-After`";
        let seconds = u32::try_from(retry_after.num_seconds() + 1).unwrap_or(u32::MAX);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message)
            .with_retry_after(seconds)
    }

    /// 503: trying again later may work.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    /// 503: it took too long.
    pub(crate) fn too_slow() -> Self {
        let message = "the request took too long, try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", message)
    }

    /// 500: a handler panicked. The panic hook has logged where.
    pub(crate) fn panicked() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error")
    }

    /// An error about which nothing is known but its status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this address"),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method_not_allowed", "this address does not know the method: see `Allow`")
            }
            _ if status.is_client_error() => ("invalid_request", "the request cannot be accepted"),
            _ => ("internal", "internal error"),
        };
        Self::new(status, code, message)
    }

    /// The same for an operation whose fields are spelt in camel case.
    pub(crate) fn in_camel_case(self) -> Self {
        if self.fields.is_empty() {
            return self;
        }
        let fields = self.fields.into_iter();
        Self::invalid(
            fields
                .map(|field| FieldError { field: in_camel_case(&field.field), ..field })
                .collect(),
        )
    }

    /// The same, told as another code.
    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// 500: something that cannot fail has failed.
    pub(crate) fn fault(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::panicked().caused_by(cause)
    }

    /// The same, with the number of seconds after which it is worth trying again.
    pub(crate) fn with_retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Whether it is known to programs by this code.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// Shows it as a page.
    pub(crate) fn show_as_page(&mut self) {
        self.is_page = true;
    }

    /// Whether the client can do nothing about it.
    pub(crate) fn is_our_fault(&self) -> bool {
        self.status.is_server_error()
    }

    /// What went wrong, for people.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn caused_by(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Gives the response its body, and logs what is our fault.
    pub(crate) fn render(self, mut response: Response, id: &RequestId) -> Response {
        self.log();
        let body = ErrorBody {
            error: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            message: self.message,
            code: self.code.to_owned(),
            request_id: id.to_string(),
            fields: self.fields,
        };
        let mut rendered = if self.is_page {
            pages::refusal(self.status, &body)
        } else {
            (self.status, Json(body)).into_response()
        };
        for (name, value) in response.headers_mut().drain() {
            if let Some(name) = name.filter(is_kept) {
                rendered.headers_mut().insert(name, value);
            }
        }
        if let Some(value) = self.challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            rendered.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        let usual = (self.status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_SECONDS);
        if let Some(seconds) = self.retry_after.or(usual) {
            rendered.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        rendered
    }

    /// The one place that logs a failed request; the client is told nothing of the cause.
    fn log(&self) {
        let error = self.source.as_deref().map(|source| Causes(source).to_string());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(error, code = self.code, "request failed for now");
        } else if self.status.is_server_error() {
            tracing::error!(error, code = self.code, "request failed");
        }
    }
}

/// What is said about a path or whoever asks stays; what describes a body that is replaced goes.
fn is_kept(name: &header::HeaderName) -> bool {
    [header::ALLOW, RATE_LIMIT, RATE_LIMIT_POLICY].contains(name)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)
    }
}

fn in_camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        name.push_str(&initial.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

/// A text from outside in a form and length that can be shown.
pub(crate) fn legible(text: &str) -> String {
    const MOST: usize = 300;
    let mut shown: String =
        text.chars().take(MOST).map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
