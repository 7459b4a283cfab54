//! Query parameters.

use axum::{
    extract::{FromRequestParts, Query as AxumQuery},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{Problem, legible};

/// Query parameters. Which ones there are is checked before, against the operation's description.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let AxumQuery(query) = AxumQuery::try_from_uri(&parts.uri).map_err(|err| {
            let text = err.body_text();
            let what = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, what)| what);
            Problem::bad_query(legible(what))
        })?;
        Ok(Self(query))
    }
}
