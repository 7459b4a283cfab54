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
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "wli_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI")]
    token: SecretString,
    /// How they are called.
    #[schema(min_length = 1, max_length = 100, example = "Grace")]
    name: String,
    /// With what they are going to sign in.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024, example = "correct horse battery staple")]
    password: SecretString,
}

/// Accept an invitation without an account.
///
/// Makes an account with the address that was invited. Whoever has one signs in and accepts then
/// (409 and `has_an_account`).
#[utoipa::path(
    post,
    path = "/api/invitations/register",
    tag = "organizations",
    request_body = RegistrationBody,
    responses(
        (status = 200, description = "The organization that is open now, to whoever signs in", body = OrganizationView),
        (status = 409, description = "There is an account with this address", body = ErrorBody),
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
    let password = fields.check("password", PlainPassword::new(password));
    let both = name.zip(password).map(|(name, password)| Registration { name, password });
    let registration = fields.finish(both)?;
    let token = token.expose_secret();
    let joined =
        windlass_control::register_by_invitation(&control, &occasion, token, registration).await?;
    Ok(Json(joined.into()))
}
