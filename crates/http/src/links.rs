//! Links for people without a credential.

mod create;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![needs(Permission::LogsRead, routes!(create::create_link))]
}
