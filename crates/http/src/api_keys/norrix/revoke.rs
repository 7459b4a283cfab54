//! `DELETE /api/api-keys?id=`

use axum::{Extension, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use windlass_control::{Caller, Control};

use crate::{
    extract::Query,
    problem::{ErrorBody, Problem},
};

/// Which key is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichKey {
    /// The key.
    #[param(example = "key_01kdvdna000000000000000002")]
    id: String,
}

/// Revoke an API key (camel case).
///
/// The same as `DELETE /api/auth/api-keys/{id}`.
#[utoipa::path(
    delete,
    path = "/api/api-keys",
    tag = "auth",
    params(WhichKey),
    responses((status = 204, description = "It is revoked"), (status = 404, description = "There is no such key", body = ErrorBody)),
)]
pub(crate) async fn norrix_revoke_api_key(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Query(WhichKey { id }): Query<WhichKey>,
) -> Result<StatusCode, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found("API key"))?;
    windlass_control::revoke_api_key(&control, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
