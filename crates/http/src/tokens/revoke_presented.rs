//! `POST /api/auth/tokens/revoke`

use axum::{Extension, extract::State, http::StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_control::{Caller, Control};

use crate::{extract::Body, problem::Problem};

/// A token to revoke.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeToken {
    /// The token itself, or the one in a link.
    #[schema(value_type = String, max_length = 8192)]
    token: SecretString,
}

/// Revoke a token that one holds.
///
/// It and all that were made of it by narrowing open nothing from now on. If it was itself made by
/// narrowing, the token that it was made of goes on working.
#[utoipa::path(
    post,
    path = "/api/auth/tokens/revoke",
    tag = "auth",
    request_body = RevokeToken,
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke_presented_token(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<RevokeToken>,
) -> Result<StatusCode, Problem> {
    let token = body.token.expose_secret();
    windlass_control::revoke_presented_token(&control, &caller, token).await?;
    Ok(StatusCode::NO_CONTENT)
}
