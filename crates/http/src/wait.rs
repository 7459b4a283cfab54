//! Answers that wait for what was asked for.

use std::time::Duration;

use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use windlass_control::ControlError;

use crate::problem::Problem;

/// The longest that an answer can be held.
pub(crate) const MAX_WAIT: Duration = Duration::from_mins(1);

/// How long to hold the answer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Seconds to hold the answer until what goes on has come to its end: a deployment is live or
    /// has ended, a cancelled build has ended, an environment is destroyed, a project is deleted.
    /// Without it, and where the server stops, the answer comes at once.
    #[param(minimum = 1, maximum = 60)]
    wait: Option<u16>,
}

/// How long a caller wants to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait(Duration);

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
    /// What `wait_for` sees in the end, given how long it may wait. A server that stops keeps
    /// nobody waiting: it is what there is at present.
    pub(crate) async fn until<T, Waiting>(
        self,
        stopping: &CancellationToken,
        wait_for: impl Fn(Duration) -> Waiting,
    ) -> Result<T, ControlError>
    where
        Waiting: Future<Output = Result<T, ControlError>>,
    {
        match stopping.run_until_cancelled(wait_for(self.0)).await {
            Some(seen) => seen,
            None => wait_for(Duration::ZERO).await,
        }
    }
}

/// The same for something that has just been asked for, by a caller that may not want to wait at
/// all. It is under way whatever becomes of the waiting, so a caller that may not look at it, or a
/// database that is gone for a moment, is no error here.
pub(crate) async fn settled<T, Waiting>(
    wait: Option<Wait>,
    stopping: &CancellationToken,
    asked: T,
    wait_for: impl Fn(Duration) -> Waiting,
) -> T
where
    Waiting: Future<Output = Result<T, ControlError>>,
{
    match wait {
        Some(wait) => wait.until(stopping, wait_for).await.unwrap_or(asked),
        None => asked,
    }
}
