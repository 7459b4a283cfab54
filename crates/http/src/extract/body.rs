//! JSON request bodies.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Object;
use crate::problem::{Problem, legible};

/// Most bytes in a request's body.
const LIMIT: usize = 1024 * 1024;
/// Most bytes of a body that is too large that are taken all the same.
const DRAIN: usize = 16 * 1024 * 1024;

/// A JSON request body: an object.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let message = "the body must be JSON: set `Content-Type: application/json`";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                message,
            ));
        }
        parse(&read(request.into_body()).await?).map(Self)
    }
}

/// `application/json` and whatever is built on it (RFC 6839), such as a merge patch.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// Reads a body of the usual size.
pub(crate) async fn read(body: axum::body::Body) -> Result<Vec<u8>, Problem> {
    read_at_most(LIMIT, body).await
}

/// Reads a body, at most `limit` bytes of it. What is beyond is taken and dropped up to `DRAIN`: a
/// client that is still sending would see a broken connection instead of the answer.
pub(crate) async fn read_at_most(limit: usize, body: axum::body::Body) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut dropped) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::unreadable("the body ended early"))?;
        if dropped == 0 && bytes.len() + chunk.len() <= limit {
            bytes.extend_from_slice(&chunk);
        } else if DRAIN < dropped {
            break;
        } else {
            dropped += chunk.len();
        }
    }
    if 0 < dropped {
        let message = format!("the body must not have more than {limit} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message));
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|err| {
        let path = err.path().to_string();
        explain(&path, err.inner())
    })?;
    deserializer.end().map_err(|err| explain(".", &err))?;
    Ok(value)
}

/// Says where and what, without repeating values: one of them may be a secret.
fn explain(path: &str, err: &serde_json::Error) -> Problem {
    let text = err.to_string();
    match err.classify() {
        Category::Data => {
            let what = match text.rsplit_once(", expected ") {
                Some((head, wanted)) if head.starts_with("invalid ") => {
                    let wanted = wanted.split(" at line ").next().unwrap_or(wanted);
                    format!("expected {wanted}")
                }
                Some(_) | None => text.split(" at line ").next().unwrap_or(&text).to_owned(),
            };
            let place = if path == "." { "the body".to_owned() } else { format!("`{path}`") };
            Problem::unreadable(format!("{}: {}", legible(&place), legible(&what)))
        }
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::unreadable(format!("the body is not JSON: {}", legible(&text)))
                .with_code("invalid_json")
        }
    }
}
