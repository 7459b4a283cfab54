//! `GET /api/auth/tokens`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::Caller;

use super::view::TokenView;
use crate::{app::Shared, extract::Query, page::PageQuery, problem::Problem};

/// List tokens.
///
/// Those of the organization, newest first, without the tokens themselves; links are among them
/// until a week after their end. Tokens that were made of one of these by narrowing are known to
/// nobody but their holders.
#[utoipa::path(
    get,
    path = "/api/auth/tokens",
    tag = "auth",
    params(PageQuery),
    responses((status = 200, description = "One page", body = Vec<TokenView>)),
)]
pub(crate) async fn list_tokens(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_tokens(&app.control, &caller, query.request()?).await?;
    let now = app.clock.now();
    Ok(query.answer(&uri, page, |token| token.id, |token| TokenView::new(token, now)))
}
