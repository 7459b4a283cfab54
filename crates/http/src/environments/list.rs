//! `GET /api/projects/{id}/environments`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::Caller;
use windlass_domain::ProjectId;

use super::view::EnvironmentView;
use crate::{
    app::Shared,
    extract::{Path, Query},
    page::PageQuery,
    problem::Problem,
};

/// List a project's environments.
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/projects/{id}/environments",
    tag = "environments",
    params(("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"), PageQuery),
    responses((status = 200, description = "One page", body = Vec<EnvironmentView>)),
)]
pub(crate) async fn list_environments(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<ProjectId>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let request = query.request()?;
    let page = windlass_control::list_environments(&app.control, &caller, project, request).await?;
    let view = |detail| EnvironmentView::of_detail(detail, &app.options.apps);
    Ok(query.answer(&uri, page, |detail| detail.environment.id, view))
}
