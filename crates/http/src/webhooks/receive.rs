//! `POST /api/webhooks/{forge}`

use axum::{
    Extension, Json,
    extract::{RawPathParams, State},
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_control::{Control, Occasion};
use windlass_forge::{Forge, Message, MessageError};

use super::view::DeliveryView;
use crate::{
    extract::read_at_most,
    problem::{ErrorBody, Problem},
};

/// Most bytes of a message: GitHub sends no larger ones.
const LIMIT: usize = 25 * 1024 * 1024;

/// What came of a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReceipt)]
pub(crate) struct ReceiptView {
    /// What came of it in each project; nothing where it was known already.
    deliveries: Vec<DeliveryView>,
    /// The projects that had it already.
    #[schema(example = json!(["proj_01kdvdna000000000000000003"]))]
    known_already: Vec<String>,
}

/// Receive a message of a forge.
///
/// GitHub, GitLab and Gitea (or Forgejo) send their webhooks here. What is deployed or taken down is
/// decided for each project of the repository with whose secret the message is signed, once,
/// however often it comes; the work is done later. The signature is in `X-Hub-Signature-256`,
/// `X-Gitea-Signature` or `X-Gitlab-Token`. Pushes and deleted branches count, and pull requests
/// that are opened or closed; everything else is recorded and changes nothing.
#[utoipa::path(
    post,
    path = "/api/webhooks/{forge}",
    tag = "webhooks",
    params(("forge" = inline(ForgeParameter), Path, description = "The product", example = "github")),
    request_body(content = MessageBody, description = "At most 25 MiB"),
    responses(
        (status = 200, description = "It is recorded", body = ReceiptView),
        (status = 403, description = "It is signed with no project's secret", body = ErrorBody),
    ),
)]
pub(crate) async fn receive_webhook(
    State(control): State<Control>,
    Extension(occasion): Extension<Occasion>,
    path: RawPathParams,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Json<ReceiptView>, Problem> {
    let forge = path.iter().next().and_then(|(_, text)| text.parse::<Forge>().ok());
    let forge = forge.ok_or_else(|| Problem::not_found("forge"))?;
    Message::check_headers(forge, &headers)?;
    let body = read_at_most(LIMIT, body).await?.into();
    let message = Message::read(forge, &headers, body)?;
    let receipts = windlass_control::receive_webhook(&control, &occasion, message).await?;
    let mut view = ReceiptView { deliveries: Vec::new(), known_already: Vec::new() };
    for receipt in receipts {
        match receipt.delivery {
            Some(delivery) => view.deliveries.push(delivery.into()),
            None => view.known_already.push(receipt.project.id.to_string()),
        }
    }
    Ok(Json(view))
}

/// The message, as the forge documents it.
#[derive(ToSchema)]
#[schema(as = WebhookMessage)]
pub(crate) struct MessageBody {}

/// The forges, for the description.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the description has it")]
pub(crate) enum ForgeParameter {
    GitHub,
    GitLab,
    Gitea,
}

impl From<MessageError> for Problem {
    fn from(err: MessageError) -> Self {
        let (status, code) = match &err {
            MessageError::Unsigned { .. } => (StatusCode::FORBIDDEN, "invalid_signature"),
            MessageError::NoEvent(_)
            | MessageError::BadDeliveryId(_)
            | MessageError::Form
            | MessageError::NotJson { .. }
            | MessageError::Field { .. } => (StatusCode::BAD_REQUEST, "invalid_webhook"),
        };
        Self::new(status, code, err.to_string())
    }
}
