//! `GET /api/organizations`

use axum::{Extension, extract::State, http::Uri, response::Response};
use windlass_control::{Caller, Control};

use super::view::OrganizationView;
use crate::{extract::Query, page::PageQuery, problem::Problem};

/// List organizations.
///
/// Those that the credential opens, newest first: a person who has signed in sees all of theirs, a
/// key or token its own.
#[utoipa::path(
    get,
    path = "/api/organizations",
    tag = "organizations",
    params(PageQuery),
    responses((status = 200, description = "One page", body = Vec<OrganizationView>)),
)]
pub(crate) async fn list_organizations(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = windlass_control::list_organizations(&control, &caller, query.request()?).await?;
    Ok(query.answer(&uri, page, |found| found.organization.id, OrganizationView::from))
}
