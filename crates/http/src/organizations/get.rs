//! `GET /api/organizations/{id}`

use axum::{Extension, Json, extract::State};
use windlass_control::{Caller, Control};
use windlass_domain::OrganizationId;

use super::view::OrganizationView;
use crate::{extract::Path, problem::Problem};

/// Get an organization.
#[utoipa::path(
    get,
    path = "/api/organizations/{id}",
    tag = "organizations",
    params(("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000")),
    responses((status = 200, description = "The organization", body = OrganizationView)),
)]
pub(crate) async fn get_organization(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationView>, Problem> {
    let found = windlass_control::get_organization(&control, &caller, id).await?;
    Ok(Json(found.into()))
}
