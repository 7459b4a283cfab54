//! `POST /api/environments/{id}/resume`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::Caller;
use windlass_domain::EnvironmentId;

use super::view::EnvironmentView;
use crate::{
    app::Shared,
    extract::Path,
    problem::{ErrorBody, Problem},
    tag::IfMatch,
};

/// Resume an environment.
///
/// The app that answered last is started again, without a build, with the variables of now. While
/// it starts, its address says so; where it can't, the environment becomes `failed`. Asking again
/// changes nothing.
#[utoipa::path(
    post,
    path = "/api/environments/{id}/resume",
    tag = "environments",
    params(
        ("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"),
        ("If-Match" = Option<String>, Header),
    ),
    responses(
        (status = 202, description = "The environment in its new state", body = EnvironmentView),
        (status = 409, description = "It was not paused", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn resume_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, Json<EnvironmentView>), Problem> {
    let environment =
        windlass_control::resume_environment(&app.control, &caller, id, expected).await?;
    Ok((StatusCode::ACCEPTED, Json(EnvironmentView::new(environment, &app.options.apps))))
}
