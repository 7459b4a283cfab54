//! Whether the server lives, and whether it can work.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use windlass_control::{Control, check_readiness};

use crate::{
    operation::{Operation, public},
    problem::Problem,
};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        public(routes!(get_health)).without_limit(),
        public(routes!(check_server_readiness)).without_limit(),
    ]
}

/// That the server is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Say that the server lives.
///
/// Answers as long as the process can answer at all.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "server",
    responses((status = 200, description = "It lives", body = Health, example = json!({ "status": "ok" }))),
)]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Say whether the server can work now.
///
/// A 503 says in `code` what is missing (`database_unavailable`, `engine_unavailable`); why it is
/// missing stands in the server's logs alone.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "server",
    operation_id = "check_readiness",
    responses((status = 200, description = "It can", body = Health, example = json!({ "status": "ok" }))),
)]
pub(crate) async fn check_server_readiness(
    State(control): State<Control>,
) -> Result<Json<Health>, Problem> {
    let readiness = check_readiness(&control).await;
    match (readiness.database, readiness.engine) {
        (Ok(()), Ok(())) => Ok(Json(Health { status: "ok" })),
        (Err(_), Ok(())) => Err(not_ready("database_unavailable", "the database is")),
        (Ok(()), Err(_)) => Err(not_ready("engine_unavailable", "the engine is")),
        (Err(_), Err(_)) => {
            Err(not_ready("database_unavailable", "the database and the engine are"))
        }
    }
}

fn not_ready(code: &'static str, what: &str) -> Problem {
    let message = format!("{what} not available at the moment");
    Problem::unavailable(message).with_code(code)
}
