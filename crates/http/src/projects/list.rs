//! `GET /api/projects`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};

use super::view::ProjectView;
use crate::{extract::Query, page::PageQuery, problem::Problem};

/// List projects.
///
/// Those that the credential reaches, newest first.
#[utoipa::path(
    get,
    path = "/api/projects",
    tag = "projects",
    params(PageQuery),
    responses((status = 200, description = "One page", body = Vec<ProjectView>)),
)]
pub(crate) async fn list_projects(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_projects(&control, &caller, query.request()?).await?;
    Ok(query.answer(&uri, page, |project| project.id, ProjectView::from))
}
