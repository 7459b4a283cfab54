//! Signing in and out, and sessions.

pub(crate) mod cookie;
mod end;
mod github;
mod list;
mod login;
mod logout;
mod password;
pub(crate) mod set_up;
mod view;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, header},
    response::{AppendHeaders, IntoResponse},
};
use utoipa_axum::routes;
use windlass_control::{Browser, Occasion, SignedIn};

use self::view::SessionView;
use crate::operation::{Operation, needs_session, public};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        public(routes!(login::login)),
        public(routes!(set_up::set_up)),
        public(routes!(github::begin::begin_github_sign_in)).for_browsers(),
        public(routes!(github::callback::sign_in_with_github)).for_browsers_that_are_sent(),
        needs_session(routes!(logout::logout)),
        needs_session(routes!(list::list_sessions)),
        needs_session(routes!(end::end_session)),
        needs_session(routes!(password::change_password)),
    ]
}

/// Where a session is about to begin.
pub(crate) fn browser(headers: &HeaderMap, occasion: Occasion) -> Browser {
    let user_agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
    Browser {
        user_agent: String::from_utf8_lossy(user_agent.unwrap_or_default()).into_owned(),
        occasion,
    }
}

/// The answer that begins a session: the browser keeps it from now on.
fn begun(headers: &HeaderMap, signed_in: SignedIn) -> impl IntoResponse + use<> {
    let cookie = cookie::keep(headers, &signed_in).map(|value| (header::SET_COOKIE, value));
    let id = signed_in.session.id;
    (AppendHeaders(cookie), Json(SessionView::new(signed_in.session, Some(id))))
}
