//! `GET /api/deployments/{id}/logs`

use axum::{Extension, extract::State, response::Response};
use windlass_control::Caller;
use windlass_domain::DeploymentId;

use super::{
    permit::Log,
    request::{LogQuery, LogRequest},
    view::LogView,
};
use crate::{app::Shared, extract::Path, problem::Problem};

/// Read a deployment's log.
///
/// What its build prints. As JSON unless `Accept` prefers another form:
/// `text/event-stream` sends each line as an event (`id` is its number, `Last-Event-ID` resumes,
/// `event: end` follows the last line there can be), `text/plain` only the lines' texts
/// (and so do browsers get them).
/// What goes on ends with the credential that opened it.
#[utoipa::path(
    get,
    path = "/api/deployments/{id}/logs",
    tag = "logs",
    params(
        ("id" = String, Path, description = "The deployment", example = "dep_01kdvdna000000000000000006"),
        ("Last-Event-ID" = Option<String>, Header),
        LogQuery,
    ),
    responses((status = 200, description = "The log", content(
        (LogView = "application/json"),
        (String = "text/event-stream"),
        (String = "text/plain"),
    ))),
)]
pub(crate) async fn open_deployment_log(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<DeploymentId>,
    request: LogRequest,
) -> Result<Response, Problem> {
    request.answer(app, caller, Log::Deployment(id)).await
}
