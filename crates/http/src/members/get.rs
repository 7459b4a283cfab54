//! `GET /api/organizations/{id}/members/{userId}`

use axum::{Extension, Json, extract::State};
use windlass_control::{Caller, Control};
use windlass_domain::{OrganizationId, UserId};

use super::view::MemberView;
use crate::{extract::Path, problem::Problem};

/// Get a member.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/members/{userId}",
    tag = "organizations",
    params(
        ("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000"),
        ("userId" = String, Path, description = "The person", example = "usr_01kdvdna000000000000000001"),
    ),
    responses((status = 200, description = "The member", body = MemberView)),
)]
pub(crate) async fn get_member(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path((id, user)): Path<(OrganizationId, UserId)>,
) -> Result<Json<MemberView>, Problem> {
    let member = windlass_control::get_member(&control, &caller, id, user).await?;
    Ok(Json(member.into()))
}
