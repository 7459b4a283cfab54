//! How often an authority is asked the same thing again.

use std::time::Duration;

use instant_acme::{Error, RetryPolicy};

/// How often a request is begun anew that was refused for its nonce. The library tries three times
/// on its own; nonces may have expired in an authority that has several servers.
pub(crate) const ATTEMPTS: usize = 6;

/// Whether a request was refused only for the number that it should have carried.
pub(crate) fn is_bad_nonce<T>(outcome: &Result<T, Error>) -> bool {
    let Err(Error::Api(problem)) = outcome else { return false };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce")
}

/// How often an order is looked at: after half a second, then ever more rarely, or when the
/// authority says.
pub(crate) fn looks(within: Duration) -> RetryPolicy {
    RetryPolicy::new().initial_delay(Duration::from_millis(500)).backoff(1.5).timeout(within)
}

/// Does something again while it is refused for its nonce. (A function would have to borrow what it
/// works on for each attempt anew, which closures cannot say together with `Send`.)
macro_rules! patiently {
    ($attempt:expr) => {{
        let mut left = $crate::patience::ATTEMPTS;
        loop {
            left -= 1;
            let outcome = $attempt.await;
            if left == 0 || !$crate::patience::is_bad_nonce(&outcome) {
                break outcome;
            }
        }
    }};
}

pub(crate) use patiently;
