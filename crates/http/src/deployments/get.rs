//! `GET /api/deployments/{id}`

use axum::{Extension, Json, extract::State};
use windlass_control::{Caller, Control, wait_for_deployment};
use windlass_domain::DeploymentId;

use super::{view::DeploymentView, wait::WaitQuery};
use crate::{
    extract::{Path, Query},
    problem::Problem,
};

/// Get a deployment.
#[utoipa::path(
    get,
    path = "/api/deployments/{id}",
    tag = "deployments",
    params(("id" = String, Path, description = "The deployment", example = "dep_01kdvdna000000000000000006"), WaitQuery),
    responses((status = 200, description = "The deployment", body = DeploymentView)),
)]
pub(crate) async fn get_deployment(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<DeploymentId>,
    Query(wait): Query<WaitQuery>,
) -> Result<Json<DeploymentView>, Problem> {
    let deployment = match wait.parse()? {
        Some(wait) => wait_for_deployment(&control, &caller, id, wait.0).await?,
        None => windlass_control::get_deployment(&control, &caller, id).await?,
    };
    Ok(Json(deployment.into()))
}
