//! Stops apps.

use std::time::Duration;

use windlass_domain::DeploymentId;
use windlass_engine::{AppState, ObservedApp};

use super::attempt::{Attempt, AttemptError};

/// How long to wait for the last lines of an app that was stopped.
const LAST_LINES: Duration = Duration::from_secs(5);

/// Waits until the requests to an app are through.
pub(super) async fn drain(attempt: &Attempt, app: &ObservedApp) {
    let control = &attempt.control;
    if let AppState::Running(running) = &app.state {
        let at_most = control.settings().drain_timeout;
        control.inner.routes.drained(&running.addresses, at_most).await;
    }
}

/// Ends an app, and stores what it prints last.
pub(super) async fn end(attempt: &Attempt, app: DeploymentId) -> Result<(), AttemptError> {
    let control = &attempt.control;
    control.engine().stop(app, control.settings().stop_grace).await?;
    control.followed_to_end(app, LAST_LINES).await;
    Ok(())
}
