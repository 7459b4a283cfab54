//! Tokens.

mod create;
mod list;
mod permission;
mod revoke;
mod revoke_presented;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::TokensWrite, routes!(create::create_token)),
        needs(Permission::TokensRead, routes!(list::list_tokens)),
        needs(Permission::TokensWrite, routes!(revoke::revoke_token)),
        needs(Permission::TokensWrite, routes!(revoke_presented::revoke_presented_token)),
    ]
}
