//! Environment variables: write-only values.

mod delete;
mod list;
mod put;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        needs(Permission::EnvVarsRead, routes!(list::list_env_vars)),
        needs(Permission::EnvVarsWrite, routes!(put::put_env_var)),
        needs(Permission::EnvVarsWrite, routes!(delete::delete_env_var)),
    ]
}
