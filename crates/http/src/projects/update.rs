//! `PATCH /api/projects/{id}`

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use windlass_control::{Caller, Control};
use windlass_domain::ProjectId;

use super::{
    body::ProjectBody,
    view::{ProjectView, tag},
};
use crate::{
    extract::{Body, Path},
    problem::{ErrorBody, Problem},
    tag::IfMatch,
};

/// Change a project.
///
/// The body is a JSON merge patch (RFC 7396): what is absent stays, `null` goes back to the
/// default. The next deployment follows the new settings; what runs is not touched.
#[utoipa::path(
    patch,
    path = "/api/projects/{id}",
    tag = "projects",
    params(
        ("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"),
        ("If-Match" = Option<String>, Header),
    ),
    request_body(content = ProjectBody, example = json!({
        "start_command": "node server.js",
        "health_path": null,
        "resources": { "cpu": 0.5, "memory_mb": 256 },
    })),
    responses(
        (status = 200, description = "The changed project", body = ProjectView, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "It is being deleted", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn update_project(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<ProjectId>,
    IfMatch(expected): IfMatch,
    Body(body): Body<ProjectBody>,
) -> Result<Response, Problem> {
    let edit = body.parse()?;
    let edit = |project| Ok(edit.apply(project));
    let project = windlass_control::update_project(&control, &caller, id, expected, edit).await?;
    Ok(tag(&project).answer(StatusCode::OK, ProjectView::from(project)))
}
