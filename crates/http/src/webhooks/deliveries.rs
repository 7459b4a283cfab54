//! `GET /api/projects/{id}/webhook-deliveries`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};
use windlass_domain::ProjectId;

use super::view::DeliveryView;
use crate::{
    extract::{Path, Query},
    page::PageQuery,
    problem::Problem,
};

/// List what forges delivered about a project.
///
/// Newest first, with what came of each. They are kept for a month.
#[utoipa::path(
    get,
    path = "/api/projects/{id}/webhook-deliveries",
    tag = "webhooks",
    params(("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"), PageQuery),
    responses((status = 200, description = "One page", body = Vec<DeliveryView>)),
)]
pub(crate) async fn list_webhook_deliveries(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(project): Path<ProjectId>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let request = query.request()?;
    let page =
        windlass_control::list_webhook_deliveries(&control, &caller, project, request).await?;
    Ok(query.answer(&uri, page, |delivery| delivery.id, DeliveryView::from))
}
