//! The few pages of the server's own: they work without scripts, and load nothing from elsewhere.

mod authorize;
mod form;
mod gate;
mod github;
mod invitation;
mod login;
mod logout;
mod next;
mod refusal;
mod set_up;
mod visitor;

pub(crate) use self::{
    next::Next,
    refusal::{is_wanted, refusal, show_problem_in},
};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::from_fn_with_state,
    response::{AppendHeaders, IntoResponse, Response},
    routing::{get, post},
};
use windlass_control::SignedIn;

use crate::{app::Shared, problem::Problem, sessions::cookie};

/// Its own style sheet, forms that are sent to this server, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("pages/style.css");

/// The pages, which are no operations.
pub(crate) fn router(app: &Shared) -> Router<Shared> {
    Router::new()
        .route("/authorize", get(authorize::show).post(authorize::submit))
        .route("/invitation", get(invitation::show).post(invitation::submit))
        .route("/login", get(login::show).post(login::submit))
        .route("/logout", post(logout::submit))
        .route("/setup", get(set_up::show).post(set_up::submit))
        .layer(from_fn_with_state(app.clone(), gate::pass))
        .route("/pages.css", get(style))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// A page with a form in it.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
    with_policy(HeaderValue::from_static(POLICY), status, title, body)
}

/// The same where the answer to the form leads the browser elsewhere.
fn page_leading_to(origin: &str, title: &str, body: &str) -> Response {
    let ours = "form-action 'self'";
    match HeaderValue::try_from(POLICY.replace(ours, &format!("{ours} {origin}"))) {
        Ok(policy) => with_policy(policy, StatusCode::OK, title, body),
        Err(err) => Problem::fault(err).into_response(),
    }
}

fn with_policy(policy: HeaderValue, status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} · Windlass</title>\n\
         <link rel=\"stylesheet\" href=\"/pages.css\">\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        // Browsers are to say that a form comes from here, but never from which address: there may
        // be a secret in it.
        (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin")),
    ];
    // Whether it went well is said in words: an error's status would have its body replaced.
    (status, headers, html).into_response()
}

/// Sends a browser on that keeps a session from now on.
pub(crate) fn welcome(headers: &HeaderMap, signed_in: &SignedIn, next: &Next) -> Response {
    let cookie = cookie::keep(headers, signed_in).map(|value| (header::SET_COOKIE, value));
    (AppendHeaders(cookie), go_on(next.as_str())).into_response()
}

/// Sends a browser on, whatever it asked for.
fn go_on(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(err) => Problem::fault(err).into_response(),
    }
}

/// What went wrong, for the person who filled in the form; what is our own fault is answered like
/// everywhere else.
fn explain(problem: Problem) -> Result<String, Problem> {
    if problem.is_our_fault() { Err(problem) } else { Ok(problem.message().to_owned()) }
}
