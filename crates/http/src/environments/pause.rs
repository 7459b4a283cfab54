//! `POST /api/environments/{id}/pause`

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

/// Pause an environment.
///
/// Its app is stopped once the requests to it are through, and what is on its way is called off.
/// Its address says that it is paused. It keeps everything else, and goes on when it is resumed or
/// deployed to. Asking again changes nothing.
#[utoipa::path(
    post,
    path = "/api/environments/{id}/pause",
    tag = "environments",
    params(
        ("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"),
        ("If-Match" = Option<String>, Header),
    ),
    responses(
        (status = 202, description = "The environment in its new state", body = EnvironmentView),
        (status = 409, description = "No app of it has answered yet, it has failed, or it is being destroyed", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn pause_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, Json<EnvironmentView>), Problem> {
    let environment =
        windlass_control::pause_environment(&app.control, &caller, id, expected).await?;
    Ok((StatusCode::ACCEPTED, Json(EnvironmentView::new(environment, &app.options.apps))))
}
