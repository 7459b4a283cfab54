//! Projects.

mod body;
mod create;
mod delete;
mod get;
mod hooks;
mod list;
mod previews;
mod settings;
mod source;
mod update;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::ProjectsRead, routes!(list::list_projects)),
        needs(Permission::ProjectsWrite, routes!(create::create_project)),
        needs(Permission::ProjectsRead, routes!(get::get_project)),
        needs(Permission::ProjectsWrite, routes!(update::update_project)),
        needs(Permission::ProjectsWrite, routes!(delete::delete_project)),
    ]
}
