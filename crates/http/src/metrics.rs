//! What the server has measured, for Prometheus.

use axum::{Extension, extract::State, http::header, response::IntoResponse};
use utoipa_axum::routes;
use windlass_auth::Permission;
use windlass_control::{Caller, may_read_metrics};

use crate::{
    app::Shared,
    operation::{Operation, needs_unless_opened},
    problem::Problem,
};

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn operations() -> Vec<Operation> {
    vec![needs_unless_opened(Permission::MetricsRead, routes!(get_metrics))]
}

/// Get the server's metrics.
///
/// In the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    responses((
        status = 200,
        description = "The metrics",
        content_type = "text/plain",
        body = String,
        example = "windlass_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 7\n",
    )),
)]
pub(crate) async fn get_metrics(
    State(app): State<Shared>,
    caller: Option<Extension<Caller>>,
) -> Result<impl IntoResponse, Problem> {
    // Without a caller it has been opened to everybody: the gate lets nobody else through.
    if let Some(Extension(caller)) = caller {
        may_read_metrics(&caller)?;
    }
    Ok(([(header::CONTENT_TYPE, TEXT)], app.metrics.render()))
}
