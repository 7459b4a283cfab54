//! `POST /api/invitations/accept`

use axum::{Extension, Json, extract::State};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_control::{Caller, Control};

use crate::{
    extract::Body,
    organizations::OrganizationView,
    problem::{ErrorBody, Problem},
};

/// An invitation to accept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptInvitation {
    /// What came with the invitation.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "wli_0lE8WWQJzjlRz8HDN5nN5vIOxkWLkpS4Xc2sWOlwwyI2BuBej")]
    token: SecretString,
}

/// Accept an invitation.
///
/// That takes a person who has signed in with the address that was invited. Anybody else is
/// answered with 403 (`not_the_addressee`), and the invitation stays good. One that was accepted, revoked or has expired is refused like a token that
/// never was one: 422.
#[utoipa::path(
    post,
    path = "/api/invitations/accept",
    tag = "organizations",
    request_body = AcceptInvitation,
    responses(
        (status = 200, description = "The organization that is open now", body = OrganizationView),
        (status = 409, description = "They are a member already", body = ErrorBody),
    ),
)]
pub(crate) async fn accept_invitation(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<AcceptInvitation>,
) -> Result<Json<OrganizationView>, Problem> {
    let token = body.token.expose_secret();
    let joined = windlass_control::accept_invitation(&control, &caller, token).await?;
    Ok(Json(joined.into()))
}
