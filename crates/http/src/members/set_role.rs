//! `PATCH /api/organizations/{id}/members/{userId}`

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;
use windlass_auth::Role;
use windlass_control::{Caller, Control};
use windlass_domain::{OrganizationId, UserId};

use super::view::{MemberView, RoleView};
use crate::{
    extract::{Body, Path},
    fields::Fields,
    problem::{ErrorBody, Problem},
};

/// What a member is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberPatch)]
pub(crate) struct MemberBody {
    #[schema(value_type = RoleView, example = "admin")]
    role: String,
}

/// Set a member's role.
///
/// What their keys, tokens and sessions may do follows at once. Nobody grants a role above their
/// own or changes somebody who is more than they are (403 and `role_too_high`), and a credential
/// gives away only what it may do itself. An owner hands an organization on by making somebody
/// else an owner; the last one cannot become less.
#[utoipa::path(
    patch,
    path = "/api/organizations/{id}/members/{userId}",
    tag = "organizations",
    params(
        ("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000"),
        ("userId" = String, Path, description = "The person", example = "usr_01kdvdna000000000000000001"),
    ),
    request_body = MemberBody,
    responses(
        (status = 200, description = "The changed member", body = MemberView),
        (status = 409, description = "It is the last owner, or the credential is a token or bound to addresses", body = ErrorBody),
    ),
)]
pub(crate) async fn set_member_role(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    Body(body): Body<MemberBody>,
) -> Result<Json<MemberView>, Problem> {
    let mut fields = Fields::default();
    let role = fields.parse::<Role>("role", &body.role);
    let role = fields.finish(role)?;
    let member = windlass_control::set_member_role(&control, &caller, id, user, role).await?;
    Ok(Json(member.into()))
}
