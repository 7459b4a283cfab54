//! Deployments.

mod cancel;
mod get;
mod list;
mod rollback;
mod view;

pub(crate) use self::view::DeploymentView;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::DeploymentsRead, routes!(list::list_deployments)),
        needs(Permission::DeploymentsRead, routes!(get::get_deployment)),
        needs(Permission::DeploymentsWrite, routes!(cancel::cancel_deployment)),
        needs(Permission::DeploymentsWrite, routes!(rollback::rollback_deployment)),
    ]
}
