//! `/logout`

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse as _, Response},
};
use windlass_control::Occasion;

use super::{Next, form::Form, visitor};
use crate::{app::Shared, problem::Problem, sessions::cookie};

/// Ends the session of the browser, if it has one.
pub(super) async fn submit(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    form: Form,
) -> Result<Response, Problem> {
    let next = Next::parse(&form.text("next"));
    if let Some(caller) = visitor::find_for_change(&app, &headers, occasion, None).await? {
        windlass_control::sign_out(&app.control, &caller).await?;
    }
    let cookie = cookie::forget(&headers).map(|value| (header::SET_COOKIE, value));
    Ok((AppendHeaders(cookie), super::go_on(next.as_str())).into_response())
}
