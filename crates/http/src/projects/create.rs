//! `POST /api/projects`

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use windlass_control::{Caller, Control};

use super::{
    body::NewProjectBody,
    view::{ProjectView, tag},
};
use crate::{extract::Body, problem::Problem};

/// Create a project.
///
/// Nothing is built before it has an environment. The slug is made from the name; one that is
/// taken gets a short suffix.
#[utoipa::path(
    post,
    path = "/api/projects",
    tag = "projects",
    request_body(content = NewProjectBody, example = json!({
        "name": "my-app",
        "github_repo": "octocat/my-app",
        "dockerfile": "Dockerfile",
        "build_context": ".",
        "services": { "postgres": true, "redis": true, "s3": false },
    })),
    responses((
        status = 201,
        description = "The new project",
        body = ProjectView,
        headers(
            ("ETag" = String, description = "Its version"),
            ("Location" = String, description = "Its address"),
        ),
    )),
)]
pub(crate) async fn create_project(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewProjectBody>,
) -> Result<impl IntoResponse, Problem> {
    let project = windlass_control::create_project(&control, &caller, body.parse()?).await?;
    let location = [(header::LOCATION, format!("/api/projects/{}", project.id))];
    Ok((location, tag(&project).answer(StatusCode::CREATED, ProjectView::from(project))))
}
