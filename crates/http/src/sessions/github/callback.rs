//! `GET /api/auth/github/callback`

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{AppendHeaders, IntoResponse},
};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::IntoParams;
use windlass_control::{Occasion, Return};

use crate::{
    app::Shared,
    extract::Query,
    pages::{self, Next},
    problem::{ErrorBody, Problem},
    sessions::{
        self,
        cookie::{GITHUB, SESSION},
    },
};

/// What GitHub sends a browser back with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Answer {
    /// What was sent along.
    #[serde(default)]
    #[param(required = false)]
    state: String,
    /// What is redeemed for who the person is.
    #[param(value_type = Option<String>)]
    code: Option<SecretString>,
    /// Why GitHub says nothing.
    #[param(example = "access_denied")]
    error: Option<String>,
}

/// Come back from GitHub.
///
/// GitHub sends browsers here; what begins is `begin_github_sign_in`. The number of the GitHub account
/// decides who it is. One that is not known here yet is linked to the account that has its primary
/// e-mail address, where GitHub has verified that; or, with an invitation to that address, to a new
/// account. The answer sets the cookie of a session. A browser is answered with a page where it goes
/// wrong.
///
/// An account that has a password is linked only if the same browser has a session of it; otherwise
/// the answer is `account_has_password`, and `begin_github_sign_in` with `take_over` ends the account's
/// password, sessions, API keys, tokens and invitations.
#[utoipa::path(
    get,
    path = "/api/auth/github/callback",
    tag = "auth",
    params(Answer),
    responses(
        (
            status = 303,
            description = "Where the person wanted to go",
            headers(
                ("Location" = String, description = "A path of this server"),
                ("Set-Cookie" = String, description = "The session"),
            ),
        ),
        (
            status = 403,
            description = "It was not begun in this browser (`not_begun`), or GitHub's answer opens nothing here: `access_denied`, \
                `unverified_email`, `unknown_account`, `account_has_password`, `known_otherwise`, `not_the_addressee`, \
                `no_organization`",
            body = ErrorBody,
        ),
        (status = 404, description = "Sign-in with GitHub is not set up on this server", body = ErrorBody),
        (status = 409, description = "They are a member already of where they are invited", body = ErrorBody),
        (status = 412, description = "The account has changed meanwhile: begin again", body = ErrorBody),
        (status = 422, description = "The invitation is worth nothing any more", body = ErrorBody),
        (
            status = 429,
            description = "Too many attempts have failed",
            body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds after which to try again")),
        ),
    ),
)]
pub(crate) async fn sign_in_with_github(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    Query(answer): Query<Answer>,
) -> Result<impl IntoResponse, Problem> {
    let Answer { state, code, error } = answer;
    let back = Return {
        kept: GITHUB.presented(&headers).map(SecretString::from),
        state,
        code,
        error,
        session: SESSION.presented(&headers).map(SecretString::from),
        browser: sessions::browser(&headers, occasion),
    };
    let returned = windlass_control::sign_in_with_github(&app.control, back).await?;
    let next = Next::parse(&returned.next);
    let welcome = pages::welcome(&headers, &returned.signed_in, &next);
    let forgotten = GITHUB.forget(&headers).map(|cookie| (header::SET_COOKIE, cookie));
    Ok((AppendHeaders(forgotten), welcome))
}
