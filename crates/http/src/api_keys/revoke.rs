//! `DELETE /api/auth/api-keys/{id}`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_auth::ApiKeyId;
use windlass_control::{Caller, Control};

use crate::{extract::Path, problem::Problem};

/// Revoke an API key.
///
/// From now on it opens nothing. It stays in the list; revoking it twice changes nothing.
#[utoipa::path(
    delete,
    path = "/api/auth/api-keys/{id}",
    tag = "auth",
    params(("id" = String, Path, description = "The key", example = "key_01kdvdna000000000000000002")),
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke_api_key(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    windlass_control::revoke_api_key(&control, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
