//! `GET /api/environments/{id}/logs`

use axum::{Extension, extract::State, response::Response};
use windlass_control::Caller;
use windlass_domain::EnvironmentId;

use super::{
    permit::Log,
    request::{LogQuery, LogRequest},
    view::LogView,
};
use crate::{app::Shared, extract::Path, problem::Problem};

/// Read an environment's log.
///
/// What its apps print, one after another. Of a long log only the latest lines are kept. As JSON unless `Accept` prefers another form:
/// `text/event-stream` sends each line as an event (`id` is its number, `Last-Event-ID` resumes,
/// `event: end` follows the last line there can be), `text/plain` only the lines' texts
/// (and so do browsers get them).
/// What goes on ends with the credential that opened it.
#[utoipa::path(
    get,
    path = "/api/environments/{id}/logs",
    tag = "logs",
    params(
        ("id" = String, Path, description = "The environment", example = "env_01kdvdna000000000000000004"),
        ("Last-Event-ID" = Option<String>, Header),
        LogQuery,
    ),
    responses((status = 200, description = "The log", content(
        (LogView = "application/json"),
        (String = "text/event-stream"),
        (String = "text/plain"),
    ))),
)]
pub(crate) async fn open_environment_log(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<EnvironmentId>,
    request: LogRequest,
) -> Result<Response, Problem> {
    request.answer(app, caller, Log::Environment(id)).await
}
