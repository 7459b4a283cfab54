//! `POST /api/environments/{id}/rebuild` and its other name, `/restart`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, wait_for_deployment};
use windlass_domain::EnvironmentId;

use crate::{
    app::Shared,
    deployments::DeploymentView,
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
    wait::{WaitQuery, settled},
};

/// Rebuild an environment.
///
/// Deploys the latest commit of its branch. Deployments that still wait their turn are called off.
/// An environment that is paused goes on once it is live.
/// Waiting needs the permission `deployments:read` as well; without it the answer comes at once.
#[utoipa::path(
    post,
    path = "/api/environments/{id}/rebuild",
    tag = "environments",
    params(("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"), WaitQuery),
    responses(
        (status = 202, description = "The new deployment", body = DeploymentView),
        (status = 409, description = "The environment is being destroyed", body = ErrorBody),
    ),
)]
pub(crate) async fn rebuild_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    Query(wait): Query<WaitQuery>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let wait = wait.parse()?;
    let deployment = windlass_control::rebuild_environment(&app.control, &caller, id).await?;
    let id = deployment.id;
    let deployment = settled(wait, &app.stopping, deployment, |at_most| {
        wait_for_deployment(&app.control, &caller, id, at_most)
    })
    .await;
    Ok((StatusCode::ACCEPTED, Json(deployment.into())))
}

/// Rebuild an environment (alias).
///
/// The same as `/rebuild`.
#[utoipa::path(
    post,
    path = "/api/environments/{id}/restart",
    tag = "environments",
    params(("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"), WaitQuery),
    responses(
        (status = 202, description = "The new deployment", body = DeploymentView),
        (status = 409, description = "The environment is being destroyed", body = ErrorBody),
    ),
)]
pub(crate) async fn restart_environment(
    app: State<Shared>,
    caller: Extension<Caller>,
    id: Path<EnvironmentId>,
    wait: Query<WaitQuery>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    rebuild_environment(app, caller, id, wait).await
}
