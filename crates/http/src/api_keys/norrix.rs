//! API keys where clients of Norrix look for them, in camel case.
//!
//! They are the same keys, and the permissions go by the coarse name that these clients know.

mod create;
mod list;
mod revoke;
mod view;

use utoipa_axum::routes;
use windlass_auth::{Permission, Scope};

use crate::operation::{Operation, needs_as};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        needs_as(Scope::Admin, Permission::ApiKeysWrite, routes!(create::norrix_create_api_key))
            .for_use_case("create_api_key"),
        needs_as(Scope::Admin, Permission::ApiKeysRead, routes!(list::norrix_list_api_keys))
            .for_use_case("list_api_keys"),
        needs_as(Scope::Admin, Permission::ApiKeysWrite, routes!(revoke::norrix_revoke_api_key))
            .for_use_case("revoke_api_key"),
    ]
}
