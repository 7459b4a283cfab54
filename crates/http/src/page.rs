//! Lists, page by page.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use windlass_domain::{Id, IdKind, Page, PageRequest};

use crate::problem::Problem;

const X_NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// Which part of a list is wanted.
///
/// Other parameters of a list are read beside it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Most items to answer with.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// Answer with what follows the item of this identifier: `X-Next-Cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// Checks it.
    pub(crate) fn request<K: IdKind>(&self) -> Result<PageRequest<Id<K>>, Problem> {
        let cursor = match self.cursor.as_deref().map(str::parse) {
            Some(Ok(cursor)) => Some(cursor),
            Some(Err(err)) => return Err(Problem::bad_query(format!("`cursor`: {err}"))),
            None => None,
        };
        PageRequest::new(cursor, self.limit)
            .map_err(|err| Problem::bad_query(format!("`limit` {err}")))
    }

    /// Answers with a page: its items as a plain array, the way to the next one in the headers
    /// (RFC 8288).
    pub(crate) fn answer<T, K, V>(
        &self,
        uri: &Uri,
        page: Page<T>,
        id: impl Fn(&T) -> Id<K>,
        view: impl Fn(T) -> V,
    ) -> Response
    where
        K: IdKind,
        V: Serialize,
    {
        let next = page.items.last().filter(|_| page.has_next).map(|last| id(last).to_string());
        let items: Vec<V> = page.items.into_iter().map(view).collect();
        let mut response = Json(items).into_response();
        if let Some(next) = next {
            let limit = self.limit.map(|limit| format!("limit={limit}"));
            let given = uri.query().unwrap_or_default().split('&').filter(|it| is_filter(it));
            let cursor = format!("cursor={next}");
            let query: Vec<&str> = given.chain(limit.as_deref()).chain([cursor.as_str()]).collect();
            let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"));
            let headers = response.headers_mut();
            for (name, value) in [(header::LINK, link), (X_NEXT_CURSOR, next)] {
                headers.extend(HeaderValue::try_from(value).map(|value| (name, value)));
            }
        }
        response
    }
}

/// Whether a parameter says which items are wanted, rather than which page of them.
fn is_filter(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or(parameter);
    !matches!(name, "" | "limit" | "cursor")
}
