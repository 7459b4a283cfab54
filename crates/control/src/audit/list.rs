//! Reads the audit log.

use windlass_auth::{AuditEntry, AuditEntryId, Permission, Target};
use windlass_domain::{Page, PageRequest};
use windlass_storage::AuditFilter;

use crate::{Caller, Causes, Control, ControlError};

/// Lists what was done in the organization and what was refused, newest first. What this server
/// has refused up to now is among it.
///
/// The log is one of the organization: a credential that is bound to projects does not see it.
pub async fn list_audit_log(
    control: &Control,
    caller: &Caller,
    filter: &AuditFilter,
    page: PageRequest<AuditEntryId>,
) -> Result<Page<AuditEntry>, ControlError> {
    caller.may_read(Permission::AuditRead, Target::organization(caller.organization()))?;
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && to < from
    {
        return Err(ControlError::Invalid {
            field: "to",
            message: "must not be earlier than `from`".to_owned(),
        });
    }
    if let Err(err) = control.write_refusals(true).await {
        tracing::warn!(error = %Causes(&err), "refusals are not in the audit log yet");
    }
    let mut uow = control.store().read().await?;
    Ok(uow.audit().list(caller.organization(), filter, page).await?)
}
