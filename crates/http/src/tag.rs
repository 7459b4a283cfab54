//! Entity tags: changes that miss nothing, and answers that repeat nothing (RFC 9110, section 13).

use std::fmt;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use windlass_control::Expected;

use crate::problem::Problem;

/// The entity tag of a resource: the version of what a client can change, and of what is only
/// shown with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) version: u64,
    pub(crate) shown: Option<i64>,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown {
            Some(shown) => write!(f, "\"{}.{shown:x}\"", self.version),
            None => write!(f, "\"{}\"", self.version),
        }
    }
}

impl Tag {
    /// Answers with a resource and its tag.
    pub(crate) fn answer(self, status: StatusCode, view: impl Serialize) -> Response {
        let mut response = (status, Json(view)).into_response();
        if let Ok(value) = HeaderValue::from_str(&self.to_string()) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// `If-None-Match`: what the client has already.
pub(crate) struct IfNoneMatch(Vec<String>);

impl IfNoneMatch {
    /// Answers with a resource, or with 304 to a client that has it.
    pub(crate) fn answer(&self, tag: Tag, view: impl Serialize) -> Response {
        let text = tag.to_string();
        let opaque = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
        let has_it = |given: &String| given == "*" || opaque(given) == opaque(&text);
        let mut response = tag.answer(StatusCode::OK, view);
        if self.0.iter().any(has_it) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        tags(&parts.headers, &header::IF_NONE_MATCH).map(Self)
    }
}

/// `If-Match`: what the client believes to change.
pub(crate) struct IfMatch(pub(crate) Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let given = tags(&parts.headers, &header::IF_MATCH)?;
        let expected = match given.as_slice() {
            [] => Expected::Any,
            [any] if any == "*" => Expected::Any,
            [tag] => Expected::Version(version(tag)),
            _ => return Err(Problem::unreadable("`If-Match` must be a single entity tag or `*`")),
        };
        Ok(Self(expected))
    }
}

/// The version in a tag. One that is not ours, or is weak, matches nothing.
fn version(tag: &str) -> u64 {
    let opaque = tag.trim_matches('"');
    let version = opaque.split('.').next().unwrap_or(opaque);
    version.parse().unwrap_or(u64::MAX)
}

/// The entity tags in a header.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Vec<String>, Problem> {
    let refuse = || Problem::unreadable(format!("`{name}` must be entity tags such as `\"3\"`"));
    let mut found = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| refuse())?;
        for tag in value.split(',').map(str::trim) {
            if tag != "*" && !is_tag(tag) {
                return Err(refuse());
            }
            found.push(tag.to_owned());
        }
    }
    Ok(found)
}

/// A tag, with its quotation marks or as those write it who lose them on the way.
fn is_tag(text: &str) -> bool {
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    if let Some(rest) = opaque.strip_prefix('"') {
        return rest.strip_suffix('"').is_some_and(|inner| !inner.contains('"'));
    }
    let allowed = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c) || c == '.';
    opaque.starts_with(|c: char| c.is_ascii_digit()) && opaque.chars().all(allowed)
}
