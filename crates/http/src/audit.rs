//! The audit log.

pub(crate) mod list;
mod view;

use utoipa_axum::routes;
use windlass_auth::Permission;

use crate::operation::{Operation, needs};

pub(crate) fn operations() -> Vec<Operation> {
    vec![needs(Permission::AuditRead, routes!(list::list_audit_log))]
}
