//! `POST /api/projects/{id}/webhook-deliveries/{delivery}/redeliver`

use axum::{Extension, Json, extract::State};
use windlass_control::{Caller, Control};
use windlass_domain::{ProjectId, WebhookDeliveryId};

use super::view::DeliveryView;
use crate::{
    extract::Path,
    problem::{ErrorBody, Problem},
};

/// Do once more what a delivery asks for.
///
/// For one that a limit stood in the way of, such as the quota or the number of previews.
#[utoipa::path(
    post,
    path = "/api/projects/{id}/webhook-deliveries/{delivery}/redeliver",
    tag = "webhooks",
    params(
        ("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"),
        ("delivery" = String, Path, description = "The delivery", example = "whd_01kdvdna000000000000000010"),
    ),
    responses(
        (status = 200, description = "The delivery, with what came of it now", body = DeliveryView),
        (status = 409, description = "It asks for nothing, or is going to be done anyway", body = ErrorBody),
    ),
)]
pub(crate) async fn redeliver_webhook(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path((project, delivery)): Path<(ProjectId, WebhookDeliveryId)>,
) -> Result<Json<DeliveryView>, Problem> {
    let done = windlass_control::redeliver_webhook(&control, &caller, project, delivery).await?;
    Ok(Json(done.into()))
}
