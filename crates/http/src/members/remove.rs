//! `DELETE /api/organizations/{id}/members/{userId}`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_control::{Caller, Control};
use windlass_domain::{OrganizationId, UserId};

use crate::{
    extract::Path,
    problem::{ErrorBody, Problem},
};

/// Remove a member.
///
/// Their keys and tokens in the organization are revoked, and their sessions no longer open it: all
/// of that at once, and for good. Nobody removes somebody who is more than they are (403 and
/// `role_too_high`). Whoever has signed in can always remove themselves, whatever their role,
/// unless they are the last owner.
#[utoipa::path(
    delete,
    path = "/api/organizations/{id}/members/{userId}",
    tag = "organizations",
    params(
        ("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000"),
        ("userId" = String, Path, description = "The person", example = "usr_01kdvdna000000000000000001"),
    ),
    responses(
        (status = 204, description = "They are no member any more"),
        (status = 409, description = "It is the last owner", body = ErrorBody),
    ),
)]
pub(crate) async fn remove_member(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path((id, user)): Path<(OrganizationId, UserId)>,
) -> Result<StatusCode, Problem> {
    windlass_control::remove_member(&control, &caller, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
