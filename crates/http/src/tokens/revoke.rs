//! `DELETE /api/auth/tokens/{id}`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_auth::TokenId;
use windlass_control::{Caller, Control};

use crate::{extract::Path, problem::Problem};

/// Revoke a token.
///
/// From now on neither it nor any token that was made of it by narrowing opens anything. It stays
/// in the list; revoking it twice changes nothing. Another person's token takes the permission
/// `members:write`, too.
#[utoipa::path(
    delete,
    path = "/api/auth/tokens/{id}",
    tag = "auth",
    params(("id" = String, Path, description = "The token", example = "tok_01kdvdna000000000000000009")),
    responses((status = 204, description = "It is revoked")),
)]
pub(crate) async fn revoke_token(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    windlass_control::revoke_token(&control, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
