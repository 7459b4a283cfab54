//! Organizations.

mod create;
mod get;
mod list;
mod update;
mod view;

pub(crate) use self::view::OrganizationView;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::OrganizationsRead, routes!(list::list_organizations)),
        needs(Permission::OrganizationsWrite, routes!(create::create_organization)),
        needs(Permission::OrganizationsRead, routes!(get::get_organization)),
        needs(Permission::OrganizationsWrite, routes!(update::update_organization)),
    ]
}
