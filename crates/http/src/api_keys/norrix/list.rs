//! `GET /api/api-keys`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::Caller;

use super::view::NorrixApiKey;
use crate::{app::Shared, extract::Query, page::PageQuery, problem::Problem};

/// List API keys (camel case).
///
/// The same as `GET /api/auth/api-keys`.
#[utoipa::path(
    get,
    path = "/api/api-keys",
    tag = "auth",
    params(PageQuery),
    responses((status = 200, description = "One page", body = Vec<NorrixApiKey>)),
)]
pub(crate) async fn norrix_list_api_keys(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_api_keys(&app.control, &caller, query.request()?).await?;
    let now = app.clock.now();
    Ok(query.answer(&uri, page, |key| key.id, |key| NorrixApiKey::new(key, now)))
}
