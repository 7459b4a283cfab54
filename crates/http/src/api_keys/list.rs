//! `GET /api/auth/api-keys`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::Caller;

use super::view::ApiKeyView;
use crate::{app::Shared, extract::Query, page::PageQuery, problem::Problem};

/// List API keys.
///
/// Those of the organization, newest first, without the keys themselves.
#[utoipa::path(
    get,
    path = "/api/auth/api-keys",
    tag = "auth",
    params(PageQuery),
    responses((status = 200, description = "One page", body = Vec<ApiKeyView>)),
)]
pub(crate) async fn list_api_keys(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_api_keys(&app.control, &caller, query.request()?).await?;
    let now = app.clock.now();
    Ok(query.answer(&uri, page, |key| key.id, |key| ApiKeyView::new(key, now)))
}
