//! `GET /api/environments/{id}`

use axum::{Extension, extract::State, response::Response};
use windlass_control::Caller;
use windlass_domain::EnvironmentId;

use super::view::{EnvironmentView, tag};
use crate::{app::Shared, extract::Path, problem::Problem, tag::IfNoneMatch};

/// Get an environment.
///
/// A destroyed one can still be got by its identifier.
#[utoipa::path(
    get,
    path = "/api/environments/{id}",
    tag = "environments",
    params(
        ("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"),
        ("If-None-Match" = Option<String>, Header),
    ),
    responses(
        (status = 200, description = "The environment", body = EnvironmentView, headers(("ETag" = String, description = "Its version, and that of its newest deployment"))),
        (status = 304, description = "The client has it"),
    ),
)]
pub(crate) async fn get_environment(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let detail = windlass_control::get_environment(&app.control, &caller, id).await?;
    Ok(known.answer(tag(&detail), EnvironmentView::of_detail(detail, &app.options.apps)))
}
