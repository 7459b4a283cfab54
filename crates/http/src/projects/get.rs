//! `GET /api/projects/{id}`

use axum::{Extension, extract::State, response::Response};
use windlass_control::{Caller, Control};
use windlass_domain::ProjectId;

use super::view::{ProjectView, tag};
use crate::{extract::Path, problem::Problem, tag::IfNoneMatch};

/// Get a project.
#[utoipa::path(
    get,
    path = "/api/projects/{id}",
    tag = "projects",
    params(
        ("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"),
        ("If-None-Match" = Option<String>, Header),
    ),
    responses(
        (status = 200, description = "The project", body = ProjectView, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(crate) async fn get_project(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<ProjectId>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let project = windlass_control::get_project(&control, &caller, id).await?;
    Ok(known.answer(tag(&project), ProjectView::from(project)))
}
