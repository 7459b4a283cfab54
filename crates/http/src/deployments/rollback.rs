//! `POST /api/deployments/{id}/rollback`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, wait_for_deployment};
use windlass_domain::DeploymentId;

use super::view::DeploymentView;
use crate::{
    app::Shared,
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
    wait::{WaitQuery, settled},
};

/// Roll back to a deployment.
///
/// Makes a new deployment that runs what this one built, without building. Waiting needs the
/// permission `deployments:read` as well; without it the answer comes at once.
#[utoipa::path(
    post,
    path = "/api/deployments/{id}/rollback",
    tag = "deployments",
    params(("id" = String, Path, description = "The deployment to go back to", example = "dep_01kdvdna000000000000000006"), WaitQuery),
    responses(
        (status = 202, description = "The new deployment", body = DeploymentView),
        (status = 409, description = "It has nothing built to go back to, or the environment is being destroyed", body = ErrorBody),
    ),
)]
pub(crate) async fn rollback_deployment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(to): Path<DeploymentId>,
    Query(wait): Query<WaitQuery>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let wait = wait.parse()?;
    let deployment = windlass_control::rollback_deployment(&app.control, &caller, to).await?;
    let id = deployment.id;
    let deployment = settled(wait, &app.stopping, deployment, |at_most| {
        wait_for_deployment(&app.control, &caller, id, at_most)
    })
    .await;
    Ok((StatusCode::ACCEPTED, Json(deployment.into())))
}
