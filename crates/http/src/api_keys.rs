//! API keys.

mod create;
mod list;
mod norrix;
mod revoke;
mod rotate;
mod scope;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    let mut operations = vec![
        needs(Permission::ApiKeysWrite, routes!(create::create_api_key)),
        needs(Permission::ApiKeysRead, routes!(list::list_api_keys)),
        needs(Permission::ApiKeysWrite, routes!(revoke::revoke_api_key)),
        needs(Permission::ApiKeysWrite, routes!(rotate::rotate_api_key)),
    ];
    operations.extend(norrix::operations());
    operations
}
