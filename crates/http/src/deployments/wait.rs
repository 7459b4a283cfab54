//! Answers that wait for a deployment to settle.

use std::time::Duration;

use serde::Deserialize;
use utoipa::IntoParams;
use windlass_control::{Caller, Control, wait_for_deployment};
use windlass_domain::Deployment;

use crate::problem::Problem;

/// The longest that an answer can be held.
pub(crate) const MAX_WAIT: Duration = Duration::from_mins(1);

/// How long to hold the answer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitQuery {
    /// Seconds to hold the answer until the deployment is live or has ended; otherwise it comes
    /// at once.
    #[param(minimum = 1, maximum = 60)]
    wait: Option<u16>,
}

/// How long a caller wants to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait(pub(crate) Duration);

impl WaitQuery {
    pub(crate) fn parse(&self) -> Result<Option<Wait>, Problem> {
        let Some(seconds) = self.wait else { return Ok(None) };
        let wait = Duration::from_secs(seconds.into());
        if wait.is_zero() || MAX_WAIT < wait {
            return Err(Problem::bad_query("`wait` must be between 1 and 60"));
        }
        Ok(Some(Wait(wait)))
    }
}

impl Wait {
    /// The deployment once it has settled or time is up. What was asked for is under way whatever
    /// becomes of the waiting, so a caller that may not look at deployments, or a database that is
    /// gone for a moment, is no error here.
    pub(crate) async fn settled(
        self,
        control: &Control,
        caller: &Caller,
        deployment: Deployment,
    ) -> Deployment {
        let waited = wait_for_deployment(control, caller, deployment.id, self.0).await;
        waited.unwrap_or(deployment)
    }
}

/// The same for a caller that may not want to wait at all.
pub(crate) async fn settled(
    control: &Control,
    caller: &Caller,
    deployment: Deployment,
    wait: Option<Wait>,
) -> Deployment {
    match wait {
        Some(wait) => wait.settled(control, caller, deployment).await,
        None => deployment,
    }
}
