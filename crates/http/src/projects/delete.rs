//! `DELETE /api/projects/{id}`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, wait_until_deleted};
use windlass_domain::ProjectId;

use super::view::ProjectView;
use crate::{
    app::Shared,
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
    tag::IfMatch,
    wait::{WaitQuery, settled},
};

/// Delete a project and all its environments.
///
/// It is `deleting` until the last environment has been taken down; without any, it is `deleted`
/// at once. Waiting needs the permission `projects:read` as well; without it the answer comes at
/// once.
#[utoipa::path(
    delete,
    path = "/api/projects/{id}",
    tag = "projects",
    params(
        ("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"),
        ("If-Match" = Option<String>, Header),
        WaitQuery,
    ),
    responses(
        (status = 202, description = "The project in its new state", body = ProjectView),
        (status = 409, description = "It is being deleted already", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn delete_project(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<ProjectId>,
    IfMatch(expected): IfMatch,
    Query(wait): Query<WaitQuery>,
) -> Result<(StatusCode, Json<ProjectView>), Problem> {
    let wait = wait.parse()?;
    let deleting = windlass_control::delete_project(&app.control, &caller, id, expected).await?;
    let project = settled(wait, &app.stopping, deleting.clone(), |at_most| {
        wait_until_deleted(&app.control, &caller, deleting.clone(), at_most)
    })
    .await;
    Ok((StatusCode::ACCEPTED, Json(project.into())))
}
