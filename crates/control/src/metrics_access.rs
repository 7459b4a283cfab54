//! Who may read what the server has measured.

use windlass_auth::{Permission, Target};

use crate::{Caller, ControlError};

/// Decides whether a caller may read what the server has measured.
pub fn may_read_metrics(caller: &Caller) -> Result<(), ControlError> {
    caller.may_read(Permission::MetricsRead, Target::organization(caller.organization()))
}
