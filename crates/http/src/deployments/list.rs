//! `GET /api/environments/{id}/deployments`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};
use windlass_domain::EnvironmentId;

use super::view::DeploymentView;
use crate::{
    extract::{Path, Query},
    page::PageQuery,
    problem::Problem,
};

/// List an environment's deployments.
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/environments/{id}/deployments",
    tag = "deployments",
    params(("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"), PageQuery),
    responses((status = 200, description = "One page", body = Vec<DeploymentView>)),
)]
pub(crate) async fn list_deployments(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(environment): Path<EnvironmentId>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let request = query.request()?;
    let page = windlass_control::list_deployments(&control, &caller, environment, request).await?;
    Ok(query.answer(&uri, page, |deployment| deployment.id, DeploymentView::from))
}
