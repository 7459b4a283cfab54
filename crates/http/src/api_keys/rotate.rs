//! `POST /api/auth/api-keys/{id}/rotate`

use axum::{Extension, Json, extract::State, http::StatusCode, response::IntoResponse};
use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::ApiKeyId;
use windlass_control::Caller;

use super::view::CreatedApiKeyView;
use crate::{
    app::Shared,
    extract::{Body, Path, Whole},
    problem::{ErrorBody, Problem},
};

/// How to rotate an API key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotation)]
pub(crate) struct RotationBody {
    /// How long the old key goes on working, at most a week.
    #[serde(default = "at_once")]
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 604_800, default = 0, example = 3600)]
    overlap_seconds: Whole,
}

fn at_once() -> Whole {
    Whole(0)
}

/// Rotate an API key.
///
/// Makes a new key with the rights and limits of this one, its expiry included, and ends this one
/// after the overlap. The new key is the caller's and never has more rights than the caller; a key
/// that may make keys may rotate itself. The answer shows the new key, for this once.
#[utoipa::path(
    post,
    path = "/api/auth/api-keys/{id}/rotate",
    tag = "auth",
    params(("id" = String, Path, description = "The key", example = "key_01kdvdna000000000000000002")),
    request_body = RotationBody,
    responses(
        (status = 201, description = "The new key", body = CreatedApiKeyView),
        (status = 409, description = "It has expired or been revoked, or its limits are broader than the caller's", body = ErrorBody),
    ),
)]
pub(crate) async fn rotate_api_key(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<ApiKeyId>,
    Body(body): Body<RotationBody>,
) -> Result<impl IntoResponse, Problem> {
    let Whole(seconds) = body.overlap_seconds;
    let overlap = TimeDelta::seconds(seconds.into());
    let created = windlass_control::rotate_api_key(&app.control, &caller, id, overlap).await?;
    Ok((StatusCode::CREATED, Json(CreatedApiKeyView::new(created, app.clock.now()))))
}
