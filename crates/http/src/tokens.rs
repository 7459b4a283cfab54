//! Tokens.

mod create;
mod end_own;
mod exchange;
mod list;
mod permission;
mod revoke;
mod revoke_presented;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, any_credential, needs, public};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::TokensWrite, routes!(create::create_token)),
        needs(Permission::TokensRead, routes!(list::list_tokens)),
        needs(Permission::TokensWrite, routes!(revoke::revoke_token)),
        needs(Permission::TokensWrite, routes!(revoke_presented::revoke_presented_token)),
        any_credential(routes!(end_own::end_own_token)),
        public(routes!(exchange::exchange_login_code)),
    ]
}
