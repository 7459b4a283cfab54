//! `POST /api/organizations`

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use windlass_control::{Caller, Control};

use super::view::{OrganizationBody, OrganizationView};
use crate::{extract::Body, problem::Problem};

/// Create an organization.
///
/// Whoever creates it is its owner. That takes a person who has signed in; a key or token opens
/// one organization and no other, and is answered with 403 and `session_required`.
#[utoipa::path(
    post,
    path = "/api/organizations",
    tag = "organizations",
    request_body = OrganizationBody,
    responses((status = 201, description = "The new organization", body = OrganizationView, headers(("Location" = String, description = "Its address")))),
)]
pub(crate) async fn create_organization(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<OrganizationBody>,
) -> Result<impl IntoResponse, Problem> {
    let created = windlass_control::create_organization(&control, &caller, body.parse()?).await?;
    let location = format!("/api/organizations/{}", created.organization.id);
    let view = OrganizationView::from(created);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)))
}
