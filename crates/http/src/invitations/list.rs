//! `GET /api/organizations/{id}/invitations`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::Caller;
use windlass_domain::OrganizationId;

use super::view::InvitationView;
use crate::{
    app::Shared,
    extract::{Path, Query},
    page::PageQuery,
    problem::Problem,
};

/// List invitations.
///
/// Those into an organization, newest first, without their tokens; accepted, revoked and expired
/// ones are among them.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}/invitations",
    tag = "organizations",
    params(
        ("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000"),
        PageQuery,
    ),
    responses((status = 200, description = "One page", body = Vec<InvitationView>)),
)]
pub(crate) async fn list_invitations(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<OrganizationId>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = query.request()?;
    let page = windlass_control::list_invitations(&app.control, &caller, id, page).await?;
    let now = app.clock.now();
    Ok(query.answer(&uri, page, |found| found.id, |found| InvitationView::new(found, now)))
}
