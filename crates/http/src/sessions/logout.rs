//! `POST /api/auth/logout`

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use windlass_control::{Caller, Control};

use super::cookie;
use crate::problem::Problem;

/// Sign out.
///
/// Ends the session with which it is asked for, and has the browser forget it.
#[utoipa::path(
    post,
    path = "/api/auth/logout",
    tag = "auth",
    responses((status = 204, description = "The session has ended")),
)]
pub(crate) async fn logout(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    windlass_control::sign_out(&control, &caller).await?;
    let cookie = cookie::SESSION.forget(&headers).map(|value| (header::SET_COOKIE, value));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookie)))
}
