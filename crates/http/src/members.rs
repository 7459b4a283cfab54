//! The members of an organization.

mod get;
mod list;
mod remove;
mod set_role;
mod view;

pub(crate) use self::view::RoleView;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::MembersRead, routes!(list::list_members)),
        needs(Permission::MembersRead, routes!(get::get_member)),
        needs(Permission::MembersWrite, routes!(set_role::set_member_role)),
        needs(Permission::MembersWrite, routes!(remove::remove_member)),
    ]
}
