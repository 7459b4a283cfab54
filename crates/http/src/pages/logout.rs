//! `/logout`

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse as _, Response},
};
use windlass_control::Occasion;

use super::{
    Next,
    form::{self, Form},
    visitor,
};
use crate::{app::Shared, problem::Problem, sessions::cookie};

/// Ends the session of the browser, if it has one.
pub(super) async fn submit(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    form: Form,
) -> Result<Response, Problem> {
    let next = Next::parse(&form.text("next"));
    if let Some(caller) = visitor::find_for_change(&app, &headers, occasion).await? {
        windlass_control::sign_out(&app.control, &caller).await?;
    }
    let cookie = cookie::SESSION.forget(&headers).map(|value| (header::SET_COOKIE, value));
    Ok((AppendHeaders(cookie), super::go_on(next.as_str())).into_response())
}

/// A form for whoever is somebody else: it signs out, and leads to an address by way of the page
/// where one signs in.
pub(super) fn draw(next: &Next, label: &str) -> String {
    let next = form::hidden("next", &next.by_way_of("/login"));
    format!(
        "<form method=\"post\" action=\"/logout\">\n{next}\
         <button class=\"quiet\">{label}</button>\n</form>\n"
    )
}
