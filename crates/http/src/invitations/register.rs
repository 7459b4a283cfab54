//! `POST /api/invitations/register`

use axum::{Extension, Json, extract::State};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::PlainPassword;
use windlass_control::{Control, Occasion, Registration};

use crate::{
    extract::Body,
    fields::Fields,
    organizations::OrganizationView,
    problem::{ErrorBody, Problem},
};

/// An invitation to accept, and who accepts it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Registration)]
pub(crate) struct RegistrationBody {
    /// What came with the invitation.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "wli_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI2BuBej")]
    token: SecretString,
    /// How they are called, where they have no account yet.
    #[schema(min_length = 1, max_length = 100, example = "Grace")]
    name: String,
    /// With what they sign in, now or from now on.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024, example = "correct horse battery staple")]
    password: SecretString,
}

/// Accept an invitation without having signed in.
///
/// Makes an account with the address that was invited. Where there is one, the password has to be
/// its own, and the name stays; failed attempts are limited as they are when signing in.
#[utoipa::path(
    post,
    path = "/api/invitations/register",
    tag = "organizations",
    request_body = RegistrationBody,
    responses(
        (status = 200, description = "The organization that is open now, to whoever signs in", body = OrganizationView),
        (status = 401, description = "There is an account, and it has another password", body = ErrorBody),
        (status = 409, description = "They are a member already", body = ErrorBody),
        (
            status = 429,
            description = "Too many attempts have failed",
            body = ErrorBody,
            headers(("Retry-After" = u32, description = "Seconds after which to try again")),
        ),
    ),
)]
pub(crate) async fn register_by_invitation(
    State(control): State<Control>,
    Extension(occasion): Extension<Occasion>,
    Body(body): Body<RegistrationBody>,
) -> Result<Json<OrganizationView>, Problem> {
    let RegistrationBody { token, name, password } = body;
    let mut fields = Fields::default();
    let name = fields.parse("name", &name);
    fields.check("password", PlainPassword::new(password.clone()));
    let registration = fields.finish(name.map(|name| Registration { name, password }))?;
    let token = token.expose_secret();
    let joined =
        windlass_control::register_by_invitation(&control, &occasion, token, registration).await?;
    Ok(Json(joined.into()))
}
