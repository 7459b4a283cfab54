//! `DELETE /api/auth/token`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_control::{Caller, Control};

use crate::{
    authentication::Shown,
    problem::{ErrorBody, Problem},
};

/// End the token with which it is asked for.
///
/// It and all that were made of it by narrowing open nothing from now on. If it was itself made by
/// narrowing, the token that it was made of goes on working. Whoever holds a token may do this,
/// whatever else they may; with an API key or a session the answer is 403 (`token_required`).
#[utoipa::path(
    delete,
    path = "/api/auth/token",
    tag = "auth",
    responses(
        (status = 204, description = "It has ended"),
        (status = 403, description = "The credential is no token", body = ErrorBody),
    ),
)]
pub(crate) async fn end_own_token(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Extension(shown): Extension<Shown>,
) -> Result<StatusCode, Problem> {
    windlass_control::end_own_token(&control, &caller, shown.text()).await?;
    Ok(StatusCode::NO_CONTENT)
}
