//! `POST /api/deployments/{id}/cancel`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, wait_for_build};
use windlass_domain::DeploymentId;

use super::view::DeploymentView;
use crate::{
    app::Shared,
    extract::{Path, Query},
    problem::{ErrorBody, Problem},
    wait::{WaitQuery, settled},
};

/// Cancel a deployment.
///
/// Whether it waits, is being built or is being started; what answers now goes on answering.
/// Cancelling it twice changes nothing. It is `cancelled` at once; an answer that waits comes when
/// its build has ended, too. Waiting needs the permission `deployments:read` as well; without it
/// the answer comes at once.
#[utoipa::path(
    post,
    path = "/api/deployments/{id}/cancel",
    tag = "deployments",
    params(("id" = String, Path, description = "The deployment", example = "dep_01kdvdna000000000000000006"), WaitQuery),
    responses(
        (status = 202, description = "The deployment in its new state", body = DeploymentView),
        (status = 409, description = "It is live or has ended", body = ErrorBody),
    ),
)]
pub(crate) async fn cancel_deployment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<DeploymentId>,
    Query(wait): Query<WaitQuery>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let wait = wait.parse()?;
    let deployment = windlass_control::cancel_deployment(&app.control, &caller, id).await?;
    let deployment = settled(wait, &app.stopping, deployment, |at_most| {
        wait_for_build(&app.control, &caller, id, at_most)
    })
    .await;
    Ok((StatusCode::ACCEPTED, Json(deployment.into())))
}
