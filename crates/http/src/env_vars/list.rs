//! `GET /api/projects/{id}/env-vars`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};
use windlass_domain::ProjectId;

use super::view::EnvVarView;
use crate::{
    extract::{Path, Query},
    page::PageQuery,
    problem::Problem,
};

/// List a project's environment variables.
///
/// Those of the project and of its environments, newest first. Values are masked.
#[utoipa::path(
    get,
    path = "/api/projects/{id}/env-vars",
    tag = "env-vars",
    params(("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"), PageQuery),
    responses((status = 200, description = "One page", body = Vec<EnvVarView>)),
)]
pub(crate) async fn list_env_vars(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<ProjectId>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let request = query.request()?;
    let page = windlass_control::list_env_vars(&control, &caller, project, request).await?;
    Ok(query.answer(&uri, page, |view| view.var.id, EnvVarView::from))
}
