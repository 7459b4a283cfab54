//! `PATCH /api/organizations/{id}`

use axum::{Extension, Json, extract::State};
use windlass_control::{Caller, Control};
use windlass_domain::OrganizationId;

use super::view::{OrganizationBody, OrganizationView};
use crate::{
    extract::{Body, Path},
    problem::Problem,
};

/// Give an organization another name.
#[utoipa::path(
    patch,
    path = "/api/organizations/{id}",
    tag = "organizations",
    params(("id" = String, Path, description = "The organization", example = "org_01kdvdna000000000000000000")),
    request_body = OrganizationBody,
    responses((status = 200, description = "The changed organization", body = OrganizationView)),
)]
pub(crate) async fn update_organization(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<OrganizationId>,
    Body(body): Body<OrganizationBody>,
) -> Result<Json<OrganizationView>, Problem> {
    let name = body.parse()?;
    let changed = windlass_control::update_organization(&control, &caller, id, name).await?;
    Ok(Json(changed.into()))
}
