//! `POST /api/environments/{id}/destroy`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, wait_until_destroyed};
use windlass_domain::EnvironmentId;

use super::view::EnvironmentView;
use crate::{
    app::Shared,
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
    tag::IfMatch,
    wait::{WaitQuery, settled},
};

/// Destroy an environment.
///
/// What waits is called off, what is being built or started is ended, its app is stopped. Asking
/// again while that goes on changes nothing. Waiting needs the permission `environments:read` as
/// well; without it the answer comes at once.
#[utoipa::path(
    post,
    path = "/api/environments/{id}/destroy",
    tag = "environments",
    params(
        ("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"),
        ("If-Match" = Option<String>, Header),
        WaitQuery,
    ),
    responses(
        (status = 202, description = "The environment in its new state", body = EnvironmentView),
        (status = 409, description = "It is destroyed already", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn destroy_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    IfMatch(expected): IfMatch,
    Query(wait): Query<WaitQuery>,
) -> Result<(StatusCode, Json<EnvironmentView>), Problem> {
    let wait = wait.parse()?;
    let environment =
        windlass_control::destroy_environment(&app.control, &caller, id, expected).await?;
    let environment = settled(wait, &app.stopping, environment, |at_most| {
        wait_until_destroyed(&app.control, &caller, id, at_most)
    })
    .await;
    Ok((StatusCode::ACCEPTED, Json(EnvironmentView::new(environment, &app.options.apps))))
}
