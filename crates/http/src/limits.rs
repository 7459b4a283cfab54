//! How often somebody may ask.

mod pace;
mod standing;

pub(crate) use self::standing::{RATE_LIMIT, RATE_LIMIT_POLICY, Standing};

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as _, middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use uuid::Uuid;
use windlass_auth::{Credential, Network, Principal};
use windlass_domain::Clock;

use self::pace::Pace;

/// After how many requests those are forgotten who have asked for nothing of late: what is left is
/// no more than what comes in while two requests' worth is earned back.
const SWEEP: u32 = 1_024;

/// How often may be asked within a minute; as often as one likes where absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// With one credential.
    pub per_credential: Option<NonZeroU32>,
    /// From one address, or one /64 of IPv6, without a good credential.
    pub per_address: Option<NonZeroU32>,
}

/// Counts requests.
pub(crate) struct Limits {
    credentials: Option<Limit<Uuid>>,
    addresses: Option<Limit<Option<Network>>>,
}

/// Counts the requests of many, each by itself.
struct Limit<K: Hash + Eq + Clone> {
    name: &'static str,
    per_minute: NonZeroU32,
    pace: Pace,
    limiter: RateLimiter<K, HashMapStateStore<K>, Pace, StateInformationMiddleware>,
    counted: AtomicU32,
}

impl Limits {
    pub(crate) fn new(limits: RateLimits, clock: &Arc<dyn Clock>) -> Self {
        let RateLimits { per_credential, per_address } = limits;
        let pace = Pace::new(Arc::clone(clock));
        Self {
            credentials: per_credential.map(|most| Limit::new("credential", most, pace.clone())),
            addresses: per_address.map(|most| Limit::new("address", most, pace)),
        }
    }

    /// Counts a request of a caller who is known.
    pub(crate) fn count_caller(&self, principal: &Principal) -> Option<Standing> {
        let id = match &principal.credential {
            Credential::ApiKey { id, .. } => id.to_uuid(),
            Credential::Token { id, .. } => id.to_uuid(),
            Credential::Session { id, .. } => id.to_uuid(),
        };
        self.credentials.as_ref().map(|limit| limit.count(&id))
    }

    /// Counts a request that nobody stands behind. Those whose address is not known count together.
    pub(crate) fn count_stranger(&self, address: Option<IpAddr>) -> Option<Standing> {
        self.addresses.as_ref().map(|limit| limit.count(&address.map(Network::around)))
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(name: &'static str, per_minute: NonZeroU32, pace: Pace) -> Self {
        let limiter = RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), pace.clone());
        let limiter = limiter.with_middleware();
        Self { name, per_minute, pace, limiter, counted: AtomicU32::new(0) }
    }

    fn count(&self, key: &K) -> Standing {
        if self.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP) {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let (remaining, wait) = match self.limiter.check_key(key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(self.pace.now()))),
        };
        Standing { policy: self.name, per_minute: self.per_minute, remaining, wait }
    }

    #[cfg(test)]
    fn known(&self) -> usize {
        self.limiter.len()
    }
}

/// The period in which a whole allowance is earned back.
const WINDOW: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, num::NonZeroU32, sync::Arc};

    use chrono::TimeDelta;
    use windlass_domain::{Clock, test_util::ManualClock};

    use super::{Limits, RateLimits, SWEEP};

    #[test]
    fn whoever_has_not_asked_of_late_takes_no_room() {
        let clock = Arc::new(ManualClock::default());
        let per_address = NonZeroU32::new(60);
        let limits = RateLimits { per_credential: None, per_address };
        let limits = Limits::new(limits, &(clock.clone() as Arc<dyn Clock>));
        for address in 0..10 * SWEEP {
            clock.advance(TimeDelta::milliseconds(10));
            limits.count_stranger(Some(Ipv4Addr::from(address).into()));
        }
        // Two hundred ask while two requests' worth is earned back.
        let known = limits.addresses.unwrap().known();
        assert!(known <= SWEEP as usize + 201, "{known}");
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        let clock = Arc::new(ManualClock::default());
        let limits = RateLimits { per_credential: None, per_address: NonZeroU32::new(1) };
        let limits = Limits::new(limits, &(clock.clone() as Arc<dyn Clock>));
        let is_over = || limits.count_stranger(None).unwrap().check().is_err();
        assert!(!is_over());
        clock.advance(TimeDelta::hours(-2));
        assert!(is_over());
        clock.advance(TimeDelta::minutes(1));
        assert!(!is_over());
    }
}
