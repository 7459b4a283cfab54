//! `POST /api/deployments/{id}/cancel`

use axum::{Extension, Json, extract::State, http::StatusCode};
use windlass_control::{Caller, Control};
use windlass_domain::DeploymentId;

use super::view::DeploymentView;
use crate::{
    extract::Path,
    problem::{ErrorBody, Problem},
};

/// Cancel a deployment.
///
/// Whether it waits, is being built or is being started; what answers now goes on answering.
/// Cancelling it twice changes nothing.
#[utoipa::path(
    post,
    path = "/api/deployments/{id}/cancel",
    tag = "deployments",
    params(("id" = String, Path, description = "The deployment", example = "dep_01kdvdna000000000000000006")),
    responses(
        (status = 202, description = "The deployment in its new state", body = DeploymentView),
        (status = 409, description = "It is live or has ended", body = ErrorBody),
    ),
)]
pub(crate) async fn cancel_deployment(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<DeploymentId>,
) -> Result<(StatusCode, Json<DeploymentView>), Problem> {
    let deployment = windlass_control::cancel_deployment(&control, &caller, id).await?;
    Ok((StatusCode::ACCEPTED, Json(deployment.into())))
}
