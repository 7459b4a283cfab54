//! `POST /api/environments/{id}/rebuild` and its other name, `/restart`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, Control};
use windlass_domain::EnvironmentId;

use crate::{
    deployments::{DeploymentView, WaitQuery, settled},
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
};

/// Rebuild an environment.
///
/// Deploys the latest commit of its branch. Deployments that still wait their turn are called off.
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
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    Query(wait): Query<WaitQuery>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let wait = wait.parse()?;
    let deployment = windlass_control::rebuild_environment(&control, &caller, id).await?;
    let deployment = settled(&control, &caller, deployment, wait).await;
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
    control: State<Control>,
    caller: Extension<Caller>,
    id: Path<EnvironmentId>,
    wait: Query<WaitQuery>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    rebuild_environment(control, caller, id, wait).await
}
