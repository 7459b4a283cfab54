//! API keys.

mod create;
mod list;
mod revoke;
mod scope;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::ApiKeysWrite, routes!(create::create_api_key)),
        needs(Permission::ApiKeysRead, routes!(list::list_api_keys)),
        needs(Permission::ApiKeysWrite, routes!(revoke::revoke_api_key)),
    ]
}
