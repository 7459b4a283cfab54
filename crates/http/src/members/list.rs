//! `GET /api/organizations/{id}/members`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};
use windlass_domain::OrganizationId;

use super::view::MemberView;
use crate::{
    extract::{Path, Query},
    page::PageQuery,
    problem::Problem,
};

/// List members.
///
/// The people in an organization, those who came to this server last first.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/members",
    tag = "organizations",
    params(
        ("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000"),
        PageQuery,
    ),
    responses((status = 200, description = "One page", body = Vec<MemberView>)),
)]
pub(crate) async fn list_members(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<OrganizationId>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_members(&control, &caller, id, query.request()?).await?;
    Ok(query.answer(&uri, page, |member| member.user.id, MemberView::from))
}
