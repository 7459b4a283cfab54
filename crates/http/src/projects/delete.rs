//! `DELETE /api/projects/{id}`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, Control};
use windlass_domain::ProjectId;

use super::view::ProjectView;
use crate::{
    extract::Path,
    problem::{ErrorBody, Problem},
    tag::IfMatch,
};

/// Delete a project and all its environments.
///
/// It is `deleting` until the last environment has been taken down; without any, it is `deleted`
/// at once.
#[utoipa::path(
    delete,
    path = "/api/projects/{id}",
    tag = "projects",
    params(
        ("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"),
        ("If-Match" = Option<String>, Header),
    ),
    responses(
        (status = 202, description = "The project in its new state", body = ProjectView),
        (status = 409, description = "It is being deleted already", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn delete_project(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<ProjectId>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, Json<ProjectView>), Problem> {
    let project = windlass_control::delete_project(&control, &caller, id, expected).await?;
    Ok((StatusCode::ACCEPTED, Json(project.into())))
}
