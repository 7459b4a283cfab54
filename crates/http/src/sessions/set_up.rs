//! `POST /api/auth/setup`

use std::fmt;

use axum::{Extension, extract::State, http::HeaderMap, response::IntoResponse};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::PlainPassword;
use windlass_control::Occasion;

use super::view::SessionView;
use crate::{
    app::Shared,
    extract::Body,
    fields::Fields,
    problem::{ErrorBody, Problem},
    same_origin,
};

/// Somebody who claims the owner's account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetUp)]
pub(crate) struct SetUpBody {
    /// The secret of the link that the server prints when it starts.
    #[schema(value_type = String, example = "wlo_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI2BuBej")]
    pub(crate) token: SecretString,
    #[schema(max_length = 254, example = "ada@example.com")]
    pub(crate) email: String,
    #[schema(min_length = 1, max_length = 100, example = "Ada")]
    pub(crate) name: String,
    /// 12 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024, example = "correct horse battery staple")]
    pub(crate) password: SecretString,
}

/// Claim the owner's account.
///
/// While the first owner cannot sign in, each start of the server prints a link to standard error,
/// with which a person sets the owner's e-mail address, name and password, once and within an hour.
/// The answer sets the cookie of a session.
#[utoipa::path(
    post,
    path = "/api/auth/setup",
    tag = "auth",
    request_body = SetUpBody,
    responses(
        (
            status = 200,
            description = "The session that has begun",
            body = SessionView,
            headers(("Set-Cookie" = String, description = "The session")),
        ),
        (status = 403, description = "Another site's page asks, or the link does not work (any more)", body = ErrorBody),
        (
            status = 429,
            description = "Too many attempts have failed",
            body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds after which to try again")),
        ),
    ),
)]
pub(crate) async fn set_up(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(occasion): Extension<Occasion>,
    Body(body): Body<SetUpBody>,
) -> Result<impl IntoResponse, Problem> {
    if same_origin::is_foreign(&headers, &app.options.public_url) {
        return Err(Problem::foreign_origin());
    }
    let claim = body.parse(super::browser(&headers, occasion))?;
    let signed_in = windlass_control::set_up(&app.control, claim).await?;
    Ok(super::begun(&headers, signed_in))
}

impl SetUpBody {
    pub(crate) fn parse(
        self,
        browser: windlass_control::Browser,
    ) -> Result<windlass_control::SetUp, Problem> {
        let mut fields = Fields::default();
        let email = fields.parse("email", &self.email);
        let name = fields.parse("name", &self.name);
        let password = fields.check("password", PlainPassword::new(self.password));
        let claim = match (email, name, password) {
            (Some(email), Some(name), Some(password)) => {
                let secret = self.token;
                Some(windlass_control::SetUp { secret, email, name, password, browser })
            }
            _ => None,
        };
        fields.finish(claim)
    }
}

impl fmt::Debug for SetUpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetUpBody(…)")
    }
}
