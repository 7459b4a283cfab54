//! `POST /api/organizations/{id}/invitations`

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::IntoResponse,
};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::{NewInvitation, Role};
use windlass_control::Caller;
use windlass_domain::{EmailAddress, OrganizationId};

use super::view::CreatedInvitationView;
use crate::{
    app::Shared,
    extract::{Body, Path, Whole},
    fields::Fields,
    members::RoleView,
    problem::{ErrorBody, Problem},
};

/// An invitation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub(crate) struct NewInvitationBody {
    /// For whom it is; nobody with another address can accept it.
    #[schema(format = Email, min_length = 3, max_length = 254, example = "grace@example.com")]
    email: String,
    /// What they are going to be.
    #[schema(value_type = RoleView, example = "member")]
    role: String,
    /// After how long it is worth nothing any more: 7 days where absent.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 7_776_000, example = 604_800)]
    expires_in_seconds: Option<Whole>,
}

/// Invite somebody.
///
/// The answer shows the token that its addressee has to present, and the page where they do it in a
/// browser, for this once. Nobody is written to: hand it on yourself. One invitation waits for an address; another one for the same address
/// takes its place. Nobody invites anybody as more than they are themselves (403 and
/// `role_too_high`), and a credential gives away only what it may do itself. An invitation is worth
/// nothing any more when whoever has made it may not make it any more.
#[utoipa::path(
    post,
    path = "/api/organizations/{id}/invitations",
    tag = "organizations",
    params(("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000")),
    request_body = NewInvitationBody,
    responses(
        (status = 201, description = "The new invitation", body = CreatedInvitationView),
        (status = 409, description = "They are a member already, or the credential is a token or bound to addresses", body = ErrorBody),
    ),
)]
pub(crate) async fn create_invitation(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    Path(id): Path<OrganizationId>,
    Body(body): Body<NewInvitationBody>,
) -> Result<impl IntoResponse, Problem> {
    let new = body.parse()?;
    let minted = windlass_control::create_invitation(&app.control, &caller, id, new).await?;
    let base = app.base(&uri, &headers);
    Ok((StatusCode::CREATED, Json(CreatedInvitationView::new(minted, &base, app.clock.now()))))
}

impl NewInvitationBody {
    fn parse(self) -> Result<NewInvitation, Problem> {
        let mut fields = Fields::default();
        let email = fields.parse::<EmailAddress>("email", &self.email);
        let role = fields.parse::<Role>("role", &self.role);
        let most = NewInvitation::MAX_LIFE.num_seconds();
        let life = self.expires_in_seconds;
        let life = life.and_then(|seconds| fields.life("expires_in_seconds", seconds, most));
        let life = life.unwrap_or(NewInvitation::LIFE);
        let new = email.zip(role).map(|(email, role)| NewInvitation { email, role, life });
        fields.finish(new)
    }
}
