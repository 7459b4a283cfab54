//! `PUT /api/auth/password`

use std::fmt;

use axum::{Extension, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::PlainPassword;
use windlass_control::{Caller, Control};

use crate::{
    extract::Body,
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The one so far.
    #[schema(value_type = String, format = Password, example = "correct horse battery staple")]
    current_password: SecretString,
    /// The one from now on: 12 to 1024 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024, example = "a better horse battery staple")]
    new_password: SecretString,
}

/// Change one's own password.
///
/// All other sessions of the same person end.
#[utoipa::path(
    put,
    path = "/api/auth/password",
    tag = "auth",
    request_body = ChangePassword,
    responses(
        (status = 204, description = "The new one is in force"),
        (status = 412, description = "It has been changed meanwhile", body = ErrorBody),
        (
            status = 429,
            description = "Too many attempts have failed",
            body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds after which to try again")),
        ),
    ),
)]
pub(crate) async fn change_password(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let mut fields = Fields::default();
    let new = fields.check("new_password", PlainPassword::new(body.new_password));
    let new = fields.finish(new)?;
    let change = windlass_control::ChangePassword { current: body.current_password, new };
    windlass_control::change_password(&control, &caller, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangePassword(…)")
    }
}
