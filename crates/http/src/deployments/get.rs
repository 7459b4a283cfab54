//! `GET /api/deployments/{id}`

use axum::{Extension, extract::State, response::Response};
use windlass_control::{Caller, wait_for_deployment};
use windlass_domain::DeploymentId;

use super::view::{DeploymentView, tag};
use crate::{
    app::Shared,
    extract::{Path, Query},
    problem::Problem,
    tag::IfNoneMatch,
    wait::WaitQuery,
};

/// Get a deployment.
#[utoipa::path(
    get,
    path = "/api/deployments/{id}",
    tag = "deployments",
    params(
        ("id" = String, Path, description = "The deployment", example = "dep_01kdvdna000000000000000006"),
        ("If-None-Match" = Option<String>, Header),
        WaitQuery,
    ),
    responses(
        (status = 200, description = "The deployment", body = DeploymentView, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(crate) async fn get_deployment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<DeploymentId>,
    known: IfNoneMatch,
    Query(wait): Query<WaitQuery>,
) -> Result<Response, Problem> {
    let wait_for = |at_most| wait_for_deployment(&app.control, &caller, id, at_most);
    let deployment = match wait.parse()? {
        Some(wait) => wait.until(&app.stopping, wait_for).await?,
        None => windlass_control::get_deployment(&app.control, &caller, id).await?,
    };
    Ok(known.answer(tag(&deployment), DeploymentView::from(deployment)))
}
