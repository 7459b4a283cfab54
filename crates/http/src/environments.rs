//! Environments.

mod create;
mod destroy;
mod get;
mod list;
mod pause;
mod rebuild;
mod reset;
mod resume;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::EnvironmentsRead, routes!(list::list_environments)),
        needs(Permission::EnvironmentsWrite, routes!(create::create_environment)),
        needs(Permission::EnvironmentsRead, routes!(get::get_environment)),
        needs(Permission::DeploymentsWrite, routes!(rebuild::rebuild_environment)),
        needs(Permission::DeploymentsWrite, routes!(rebuild::restart_environment))
            .for_use_case("rebuild_environment"),
        needs(Permission::EnvironmentsWrite, routes!(pause::pause_environment)),
        needs(Permission::EnvironmentsWrite, routes!(resume::resume_environment)),
        needs(Permission::EnvironmentsWrite, routes!(reset::reset_environment)),
        needs(Permission::EnvironmentsWrite, routes!(destroy::destroy_environment)),
    ]
}
