//! The right to read a log, looked at again for as long as somebody reads.

use windlass_control::{Caller, Control, ControlError, LogReader};
use windlass_domain::{DeploymentId, EnvironmentId};

use crate::authentication::Shown;

/// A log, by what it belongs to.
#[derive(Clone, Copy)]
pub(crate) enum Log {
    Deployment(DeploymentId),
    Environment(EnvironmentId),
}

/// Who reads which log, on the strength of what.
pub(crate) struct Permit {
    pub(crate) log: Log,
    pub(crate) caller: Caller,
    /// What the caller has shown, unless nobody looks at credentials.
    pub(crate) shown: Option<Shown>,
}

impl Log {
    async fn open(self, control: &Control, caller: &Caller) -> Result<LogReader, ControlError> {
        match self {
            Self::Deployment(id) => {
                windlass_control::open_deployment_log(control, caller, id).await
            }
            Self::Environment(id) => {
                windlass_control::open_environment_log(control, caller, id).await
            }
        }
    }
}

impl Permit {
    /// Opens the log, if the caller may read it.
    pub(crate) async fn open(&self, control: &Control) -> Result<LogReader, ControlError> {
        self.log.open(control, &self.caller).await
    }

    /// Whether the caller may still read it: the credential may be revoked, expire or lose rights
    /// meanwhile. One that cannot be looked at now has been good so far.
    pub(crate) async fn holds(&mut self, control: &Control) -> bool {
        !matches!(
            self.renew(control).await,
            Err(ControlError::InvalidCredential(_)
                | ControlError::Forbidden(_)
                | ControlError::NotFound(_)
                | ControlError::WrongOrganization)
        )
    }

    async fn renew(&mut self, control: &Control) -> Result<(), ControlError> {
        let Some(shown) = &self.shown else { return Ok(()) };
        let principal = control.authenticate(shown.presentation()).await?;
        // The same principal would get the same answer.
        if principal != self.caller.principal {
            let caller = control.caller(principal, self.caller.occasion.clone());
            self.log.open(control, &caller).await?;
            self.caller = caller;
        }
        Ok(())
    }
}
