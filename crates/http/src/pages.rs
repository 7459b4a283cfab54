//! The few pages of the server's own: they work without scripts, and load nothing from elsewhere.

mod form;
mod login;
mod set_up;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use windlass_control::{Occasion, SignedIn};

use crate::{
    app::Shared, authentication::name_host, client_address::ClientAddress, problem::Problem,
    request_id::RequestId, sessions::cookie,
};

/// Its own style sheet, forms that are sent to this server, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = include_str!("pages/style.css");
/// Where somebody goes who has just signed in.
const HOME: &str = "/docs/";

/// The pages, which are no operations.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/login", get(login::show).post(login::submit))
        .route("/setup", get(set_up::show).post(set_up::submit))
        .route("/pages.css", get(style))
        .layer(from_fn(note_occasion))
}

/// What is asked for on these pages, for the audit log: the same as over the API.
async fn note_occasion(mut request: Request, next: Next) -> Response {
    name_host(&mut request);
    let action = if request.uri().path() == "/setup" { "set_up" } else { "login" };
    let occasion = Occasion {
        action: action.into(),
        request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
        address: ClientAddress::of(request.extensions()),
    };
    request.extensions_mut().insert(occasion);
    next.run(request).await
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// A page with a form in it.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} · Windlass</title>\n\
         <link rel=\"stylesheet\" href=\"/pages.css\">\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // Without one, browsers would not say that a form comes from here.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    // Whether it went well is said in words: an error's status would have its body replaced.
    (status, headers, html).into_response()
}

/// Sends a browser on that keeps a session from now on.
fn welcome(headers: &HeaderMap, signed_in: &SignedIn) -> Response {
    let cookie = cookie::keep(headers, signed_in).map(|value| (header::SET_COOKIE, value));
    let on = [(header::LOCATION, HeaderValue::from_static(HOME))];
    (StatusCode::SEE_OTHER, on, AppendHeaders(cookie)).into_response()
}

/// What went wrong, for the person who filled in the form; what is our own fault is answered like
/// everywhere else.
fn explain(problem: Problem) -> Result<String, Problem> {
    if problem.is_our_fault() { Err(problem) } else { Ok(problem.message().to_owned()) }
}
