//! `GET /api/auth/sessions`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};

use super::view::SessionView;
use crate::{extract::Query, page::PageQuery, problem::Problem};

/// List one's own sessions.
///
/// Newest first. One that has ended is not among them.
#[utoipa::path(
    get,
    path = "/api/auth/sessions",
    tag = "auth",
    params(PageQuery),
    responses((status = 200, description = "One page", body = Vec<SessionView>)),
)]
pub(crate) async fn list_sessions(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_sessions(&control, &caller, query.request()?).await?;
    let own = caller.principal.credential.session_id();
    Ok(query.answer(&uri, page, |session| session.id, |session| SessionView::new(session, own)))
}
