//! `POST /api/auth/login`

use std::fmt;

use axum::{Extension, extract::State, http::HeaderMap, response::IntoResponse};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_control::{Occasion, SignIn};

use super::view::SessionView;
use crate::{
    app::Shared,
    extract::Body,
    fields::Fields,
    problem::{ErrorBody, Problem},
    same_origin,
};

/// Somebody who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    #[schema(max_length = 254, example = "ada@example.com")]
    email: String,
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    password: SecretString,
}

/// Sign in.
///
/// With an e-mail address and a password, for people in a browser: the answer sets the cookie of a
/// session. Whether there is such an account is not told. Failed attempts are limited for each
/// account and each address.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "auth",
    request_body = Login,
    responses(
        (
            status = 200,
            description = "The session that has begun",
            body = SessionView,
            headers(("Set-Cookie" = String, description = "The session")),
        ),
        (status = 401, description = "The address or the password is wrong", body = ErrorBody),
        (status = 403, description = "Another site's page asks, or the person belongs to no organization", body = ErrorBody),
        (
            status = 429,
            description = "Too many attempts have failed",
            body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds after which to try again")),
        ),
    ),
)]
pub(crate) async fn login(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    Body(body): Body<Login>,
) -> Result<impl IntoResponse, Problem> {
    if same_origin::is_foreign(&headers, &app.options.public_url) {
        return Err(Problem::foreign_origin());
    }
    let mut fields = Fields::default();
    let email = fields.parse("email", &body.email);
    let email = fields.finish(email)?;
    let browser = super::browser(&headers, occasion);
    let attempt = SignIn { email, password: body.password, browser };
    let signed_in = windlass_control::sign_in(&app.control, attempt).await?;
    Ok(super::begun(&headers, signed_in))
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}
