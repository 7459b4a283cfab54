//! Logs of builds and apps: as JSON, as an event stream, as text.

mod accept;
mod deployment;
mod environment;
mod events;
mod follow;
mod permit;
mod request;
mod text;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs_or_link};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs_or_link(Permission::LogsRead, routes!(deployment::open_deployment_log)),
        needs_or_link(Permission::LogsRead, routes!(environment::open_environment_log)),
    ]
}
