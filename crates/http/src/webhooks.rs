//! Webhooks of forges.

mod deliveries;
mod receive;
mod redeliver;
mod secret;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs, public};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        // A forge sends for many repositories from few addresses.
        public(routes!(receive::receive_webhook)).without_limit(),
        needs(Permission::ProjectsWrite, routes!(secret::rotate_webhook_secret)),
        needs(Permission::ProjectsRead, routes!(deliveries::list_webhook_deliveries)),
        needs(Permission::EnvironmentsWrite, routes!(redeliver::redeliver_webhook)),
    ]
}
