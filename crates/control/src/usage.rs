//! What builds cost.

use chrono::{DateTime, Utc};
use windlass_auth::{Permission, Target};
use windlass_domain::UsageTotals;

use crate::{Caller, Control, ControlError, project};

/// A half-open period: `from <= time < to`; an absent end is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsagePeriod {
    /// Its beginning.
    pub from: Option<DateTime<Utc>>,
    /// Its end.
    pub to: Option<DateTime<Utc>>,
}

/// Sums what the organization's builds used that ended in the period; with a credential that is
/// bound to projects, those of these projects.
pub async fn get_usage(
    control: &Control,
    caller: &Caller,
    period: UsagePeriod,
) -> Result<UsageTotals, ControlError> {
    caller.may_read(Permission::UsageRead, Target::projects(caller.organization()))?;
    if let (Some(from), Some(to)) = (period.from, period.to)
        && to < from
    {
        return Err(ControlError::Invalid {
            field: "to",
            message: "must not be earlier than `from`".to_owned(),
        });
    }

    let only = project::only(caller);
    let mut uow = control.store().read().await?;
    let organization = caller.organization();
    Ok(uow.usage().totals(organization, period.from, period.to, only.as_deref()).await?)
}
