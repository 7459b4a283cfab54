//! Invitations into an organization.

mod accept;
mod create;
mod list;
mod register;
mod revoke;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs, needs_session, public};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::MembersWrite, routes!(create::create_invitation)),
        needs(Permission::MembersRead, routes!(list::list_invitations)),
        needs(Permission::MembersWrite, routes!(revoke::revoke_invitation)),
        needs_session(routes!(accept::accept_invitation)),
        public(routes!(register::register_by_invitation)),
    ]
}
