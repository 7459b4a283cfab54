//! `DELETE /api/projects/{id}/env-vars/{varId}`

use axum::{Extension, extract::State, http::StatusCode};
use windlass_control::{Caller, Control};
use windlass_domain::{EnvVarId, ProjectId};

use crate::{extract::Path, problem::Problem};

/// Delete an environment variable.
///
/// What runs keeps it until it is started again.
#[utoipa::path(
    delete,
    path = "/api/projects/{id}/env-vars/{varId}",
    tag = "env-vars",
    params(
        ("id" = String, Path, description = "The project", example = "proj_01kdvdna000000000000000003"),
        ("varId" = String, Path, description = "The variable", example = "var_01kdvdna000000000000000005"),
    ),
    responses((status = 204, description = "It is gone")),
)]
pub(crate) async fn delete_env_var(
    State(control): State<Control>,
    Extension(caller): Extension<Caller>,
    Path((project, id)): Path<(ProjectId, EnvVarId)>,
) -> Result<StatusCode, Problem> {
    windlass_control::delete_env_var(&control, &caller, project, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
