//! `GET /api/auth/github`

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{AppendHeaders, IntoResponse},
};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::IntoParams;
use windlass_control::Departure;

use super::CALLBACK;
use crate::{
    app::Shared,
    extract::Query,
    pages::Next,
    problem::{ErrorBody, Problem},
    same_origin,
    sessions::cookie::GITHUB,
};

/// What somebody wants who goes to GitHub.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// Where to go afterwards: a path of this server.
    #[serde(default)]
    #[param(required = false, example = "/docs/", max_length = 1000)]
    next: String,
    /// The token of an invitation that is to be accepted.
    #[param(value_type = Option<String>, max_length = 100)]
    invitation: Option<SecretString>,
    /// Whether an account with a password, which is not said, is to be taken over.
    #[serde(default)]
    #[param(required = false)]
    take_over: bool,
}

/// Longer than what a cookie has room for beside the rest.
const MOST_OF_NEXT: usize = 1_000;

/// Sign in with GitHub.
///
/// Sends a browser to GitHub, which asks the person there and sends it back; see
/// `sign_in_with_github`. An invitation, and the wish to take an account over, are accepted from this
/// server's own pages only.
#[utoipa::path(
    get,
    path = "/api/auth/github",
    tag = "auth",
    params(Wish),
    responses(
        (
            status = 303,
            description = "The way to GitHub",
            headers(
                ("Location" = String, description = "Where GitHub asks the person"),
                ("Set-Cookie" = String, description = "What the browser keeps until it comes back, for ten minutes at most"),
            ),
        ),
        (status = 403, description = "Another site's page asks", body = ErrorBody),
        (status = 404, description = "Sign-in with GitHub is not set up on this server", body = ErrorBody),
    ),
)]
pub(crate) async fn begin_github_sign_in(
    State(app): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    Query(wish): Query<Wish>,
) -> Result<impl IntoResponse, Problem> {
    let Wish { next, invitation, take_over } = wish;
    let is_harmless = invitation.is_none() && !take_over;
    if !is_harmless && !same_origin::is_own(&headers, &app.options.public_url) {
        return Err(Problem::foreign_origin());
    }
    let next = if next.len() <= MOST_OF_NEXT { Next::parse(&next) } else { Next::home() };
    let departure = Departure {
        redirect_uri: format!("{}{CALLBACK}", app.base(&uri, &headers)),
        next: next.as_str().to_owned(),
        invitation,
        take_over,
        kept: GITHUB.presented(&headers).map(SecretString::from),
    };
    let departed = windlass_control::begin_github_sign_in(&app.control, departure)?;
    let address = HeaderValue::try_from(departed.address).map_err(Problem::fault)?;
    let cookie = GITHUB.keep(&headers, expose(&departed.kept), departed.life);
    let cookie = cookie.map(|cookie| (header::SET_COOKIE, cookie));
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address)], AppendHeaders(cookie)))
}

fn expose(secret: &SecretString) -> &str {
    use secrecy::ExposeSecret as _;

    secret.expose_secret()
}
