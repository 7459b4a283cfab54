//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that was sent twice is
//! carried out once.

use std::{fmt::Write as _, panic, panic::AssertUnwindSafe, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::{Instrument as _, Span};
use windlass_control::{Attempt, Begun, Caller, Causes, Control, Once};

use crate::{authentication::Shown, extract::read_body, problem::Problem};

/// The header that names a request.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// What a name may look like.
pub(crate) const PATTERN: &str = r#"^"?[!#-\[\]-~]{1,255}"?$"#;
/// What of an answer is given again, besides its body.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION, header::LINK];
/// By how much a lease outlasts the longest request.
const MARGIN: Duration = Duration::from_secs(10);

/// An answer, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The name of a request, if it has one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).into_iter();
    let Some(value) = given.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| given.next().is_none()).map(|text| {
        let text = text.strip_prefix('"').unwrap_or(text);
        text.strip_suffix('"').unwrap_or(text)
    });
    let is_name = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        (1..=255).contains(&text.len()) && text.bytes().all(allowed)
    };
    text.filter(is_name).map(|text| Some(text.to_owned())).ok_or_else(|| {
        Problem::unreadable("`Idempotency-Key` must be 1 to 255 visible characters, given once")
    })
}

/// Has a request carried out, unless it was: then the answer is the same again.
pub(crate) async fn run(
    control: &Control,
    caller: &Caller,
    key: String,
    at_most: Duration,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = read_body(body).await?;
    let shown = parts.extensions.get::<Shown>().map_or("", Shown::text);
    let mut digest = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string(), shown] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.update(&body);
    let fingerprint = digest.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    let once = Once { key, fingerprint, at_most: at_most.saturating_add(MARGIN) };
    let attempt = match control.begin_once(caller, once).await? {
        Begun::Done(answer) => return replay(&answer),
        Begun::First(attempt) => attempt,
    };
    let request = Request::from_parts(parts, Body::from(body));
    // Goes on where the client has gone away: it may come back to ask what has become of it.
    let work = carry_out(control.clone(), attempt, request, next).instrument(Span::current());
    match tokio::spawn(work).await {
        Ok(answer) => Ok(answer),
        Err(err) => match err.try_into_panic() {
            Ok(cause) => panic::resume_unwind(cause),
            Err(_) => Err(Problem::too_slow()),
        },
    }
}

async fn carry_out(control: Control, attempt: Attempt, request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let (answer, kept) = match answer {
        Ok(answer) if answer.status().is_success() => keep(answer).await,
        // It came to nothing, so it may be tried again.
        answer => (answer, None),
    };
    if let Err(err) = control.end_once(attempt, kept.as_ref()).await {
        let error = Causes(&err);
        tracing::warn!(%error, "what a request came to is not kept, it can only be repeated later");
    }
    answer.unwrap_or_else(|cause| panic::resume_unwind(cause))
}

type Outcome = Result<Response, Box<dyn std::any::Any + Send>>;

/// An answer once more, and in the form in which it is kept.
async fn keep(answer: Response) -> (Outcome, Option<SecretString>) {
    let (parts, body) = answer.into_parts();
    // Bodies of handlers are in memory already.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return (Ok(Response::from_parts(parts, Body::empty())), None);
    };
    let text = |name: &HeaderName| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
    let headers = KEPT.iter().filter_map(|name| Some((name.to_string(), text(name)?)));
    let kept = Kept {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let kept = serde_json::to_string(&kept).ok().map(SecretString::from);
    (Ok(Response::from_parts(parts, Body::from(body))), kept)
}

/// The answer that was given before.
fn replay(kept: &SecretString) -> Result<Response, Problem> {
    let kept: Kept = serde_json::from_str(kept.expose_secret()).map_err(Problem::fault)?;
    let mut answer = Response::new(Body::from(kept.body));
    *answer.status_mut() = StatusCode::from_u16(kept.status).map_err(Problem::fault)?;
    let headers = answer.headers_mut();
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(Problem::fault)?;
        headers.insert(name, HeaderValue::try_from(value).map_err(Problem::fault)?);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(answer)
}
