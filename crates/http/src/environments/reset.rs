//! `POST /api/environments/{id}/reset`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, wait_for_deployment};
use windlass_domain::EnvironmentId;

use crate::{
    app::Shared,
    deployments::DeploymentView,
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
    tag::IfMatch,
    wait::{WaitQuery, settled},
};

/// Reset an environment.
///
/// Removes everything that its database, its Redis and its bucket hold, for good. Its app is
/// stopped before, and what ran last is started again as in a new environment, with `on_new`
/// and, as long as it is kept, without a build. What is on its way is called off. Asking again
/// while that goes on changes nothing. Waiting needs the permission `deployments:read` as well; without it the answer comes
/// at once.
#[utoipa::path(
    post,
    path = "/api/environments/{id}/reset",
    tag = "environments",
    params(
        ("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"),
        ("If-Match" = Option<String>, Header),
        WaitQuery,
    ),
    responses(
        (status = 202, description = "The deployment that starts its app again", body = DeploymentView),
        (status = 409, description = "Its first deployment is on its way, it is being destroyed, or it has no backing services", body = ErrorBody),
        (status = 412, description = "It has changed meanwhile", body = ErrorBody),
    ),
)]
pub(crate) async fn reset_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    Query(wait): Query<WaitQuery>,
    IfMatch(expected): IfMatch,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let wait = wait.parse()?;
    let deployment =
        windlass_control::reset_environment(&app.control, &caller, id, expected).await?;
    let id = deployment.id;
    let deployment = settled(wait, &app.stopping, deployment, |at_most| {
        wait_for_deployment(&app.control, &caller, id, at_most)
    })
    .await;
    Ok((StatusCode::ACCEPTED, Json(deployment.into())))
}
