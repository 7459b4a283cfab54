//! Where somebody stands after a request was counted, as headers tell it
//! (draft-ietf-httpapi-ratelimit-headers).

use std::{num::NonZeroU32, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::WINDOW;
use crate::problem::Problem;

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where somebody stands after a request was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// What was counted.
    pub(super) policy: &'static str,
    pub(super) per_minute: NonZeroU32,
    /// How many more may come at once.
    pub(super) remaining: u32,
    /// For how long nothing more may come, where that is so.
    pub(super) wait: Option<Duration>,
}

impl Standing {
    /// Refuses one that is too many.
    pub(crate) fn check(self) -> Result<(), Problem> {
        match self.wait {
            Some(wait) => Err(Problem::too_many(in_seconds(wait))),
            None => Ok(()),
        }
    }

    /// Tells it in headers.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        let Self { policy, per_minute, remaining, wait } = self;
        let reset = wait.unwrap_or_else(|| {
            let spent = per_minute.get().saturating_sub(*remaining);
            WINDOW * spent / per_minute.get()
        });
        let window = WINDOW.as_secs();
        let reset = in_seconds(reset);
        let lines = [
            (RATE_LIMIT_POLICY, format!("\"{policy}\";q={per_minute};w={window}")),
            (RATE_LIMIT, format!("\"{policy}\";r={remaining};t={reset}")),
        ];
        for (name, line) in lines {
            headers.extend(HeaderValue::try_from(line).map(|line| (name, line)));
        }
    }
}

/// Whole seconds, rounded up: nobody is asked to come back too early.
fn in_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(0 < wait.subsec_nanos());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
