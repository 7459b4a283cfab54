//! `DELETE /api/auth/sessions/{id}`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_auth::SessionId;
use windlass_control::{Caller, Control};

use crate::{extract::Path, problem::Problem};

/// End one of one's own sessions.
///
/// Whoever has it is signed out at once, on every server.
#[utoipa::path(
    delete,
    path = "/api/auth/sessions/{id}",
    tag = "auth",
    params(("id" = String, Path, description = "The session", example = "ses_01kdvdna00000000000000000b")),
    responses((status = 204, description = "It has ended")),
)]
pub(crate) async fn end_session(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    windlass_control::end_session(&control, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
