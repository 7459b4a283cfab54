//! `DELETE /api/organizations/{id}/invitations/{invitationId}`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_auth::InvitationId;
use windlass_control::{Caller, Control};
use windlass_domain::OrganizationId;

use crate::{
    extract::Path,
    problem::{ErrorBody, Problem},
};

/// Revoke an invitation.
///
/// From now on nobody can accept it. It stays in the list; revoking it twice changes nothing.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}/invitations/{invitationId}",
    tag = "organizations",
    params(
        ("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000"),
        ("invitationId" = String, Path, description = "The invitation", example = "inv_01kdvdna00000000000000000a"),
    ),
    responses(
        (status = 204, description = "It is revoked"),
        (status = 409, description = "It was accepted", body = ErrorBody),
    ),
)]
pub(crate) async fn revoke_invitation(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path((id, invitation)): Path<(OrganizationId, InvitationId)>,
) -> Result<StatusCode, Problem> {
    windlass_control::revoke_invitation(&control, &caller, id, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}
