//! How often somebody may try to sign in.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ControlError;

/// Most accounts, and most addresses, of which attempts are kept in mind.
const MOST_KEPT: usize = 10_000;

/// How often somebody may try to sign in: so often in a row, and then once in each pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Failed attempts at one account in a row.
    pub per_account: u32,
    /// Failed attempts from one address in a row.
    pub per_address: u32,
    /// After how long one more is allowed.
    pub pause: TimeDelta,
}

impl Default for AttemptLimits {
    /// Ten at an account and thirty from an address, then one a minute.
    fn default() -> Self {
        Self { per_account: 10, per_address: 30, pause: TimeDelta::minutes(1) }
    }
}

/// The failed attempts of late, in bounded memory. Each server keeps its own.
pub(crate) struct Attempts {
    limits: AttemptLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: Debts<String>,
    addresses: Debts<IpAddr>,
}

/// An attempt that counts as failed unless it is forgiven.
#[must_use]
pub(crate) struct Counted<'a> {
    attempts: &'a Attempts,
    account: Option<String>,
    address: Option<IpAddr>,
    at: DateTime<Utc>,
}

impl Attempts {
    pub(crate) fn new(limits: AttemptLimits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    /// Counts an attempt before anything is known of how it ends: otherwise any number of them could
    /// be under way at once.
    pub(crate) fn begin(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Counted<'_>, ControlError> {
        self.count(Some(account.to_owned()), address, now)
    }

    /// The same where it is not known yet which account it is about.
    pub(crate) fn begin_from(
        &self,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Counted<'_>, ControlError> {
        self.count(None, address, now)
    }

    fn count(
        &self,
        account: Option<String>,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Counted<'_>, ControlError> {
        let AttemptLimits { per_account, per_address, pause } = self.limits;
        let address = address.map(network_of);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { accounts, addresses } = &*state;
        let of_account = account.as_ref().map(|key| accounts.wait(key, per_account, pause, now));
        let from = address.map(|key| addresses.wait(&key, per_address, pause, now));
        let wait = of_account.into_iter().chain(from).max().unwrap_or_default();
        if TimeDelta::zero() < wait {
            return Err(ControlError::TooManyAttempts { retry_after: wait });
        }
        if let Some(account) = &account {
            state.accounts.add(account.clone(), pause, now);
        }
        if let Some(address) = address {
            state.addresses.add(address, pause, now);
        }
        Ok(Counted { attempts: self, account, address, at: now })
    }
}

impl Counted<'_> {
    /// It was right: it does not count.
    pub(crate) fn forgive(self) {
        let Self { attempts, account, address, at } = self;
        let pause = attempts.limits.pause;
        let mut state = attempts.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = account {
            state.accounts.take_back(&account, pause, at);
        }
        if let Some(address) = address {
            state.addresses.take_back(&address, pause, at);
        }
    }
}

/// Until when each has used up what it may: a pause for each attempt. What lies in the past is
/// forgotten.
struct Debts<K>(HashMap<K, DateTime<Utc>>);

impl<K> Default for Debts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: std::hash::Hash + Eq> Debts<K> {
    /// How long to wait for the next attempt.
    fn wait(&self, key: &K, limit: u32, pause: TimeDelta, now: DateTime<Utc>) -> TimeDelta {
        let most = pause * i32::try_from(limit.saturating_sub(1)).unwrap_or(i32::MAX);
        let owed = self.0.get(key).map_or(TimeDelta::zero(), |until| *until - now);
        owed - most
    }

    fn add(&mut self, key: K, pause: TimeDelta, now: DateTime<Utc>) {
        if MOST_KEPT <= self.0.len() && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let until = self.0.entry(key).or_insert(now);
        *until = (*until).max(now) + pause;
    }

    fn take_back(&mut self, key: &K, pause: TimeDelta, at: DateTime<Utc>) {
        if let Some(until) = self.0.get_mut(key) {
            *until -= pause;
            if *until <= at {
                self.0.remove(key);
            }
        }
    }

    /// Forgets who owes nothing, and else the half that owes the least: whoever has used up
    /// everything is not let off by filling the memory with others.
    fn make_room(&mut self, now: DateTime<Utc>) {
        self.0.retain(|_, until| now < *until);
        if MOST_KEPT <= self.0.len() {
            let mut all: Vec<DateTime<Utc>> = self.0.values().copied().collect();
            let (_, median, _) = all.select_nth_unstable(MOST_KEPT / 2);
            let median = *median;
            self.0.retain(|_, until| median < *until);
        }
    }
}

/// Whoever has one IPv6 address has the whole network of 64 bits.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use chrono::{DateTime, TimeDelta, Utc};

    use super::{AttemptLimits, Attempts, ControlError, MOST_KEPT};

    const PAUSE: TimeDelta = TimeDelta::minutes(1);
    const LIMITS: AttemptLimits = AttemptLimits { per_account: 3, per_address: 5, pause: PAUSE };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    fn wait(
        attempts: &Attempts,
        account: &str,
        from: impl Into<Option<IpAddr>>,
        now: i64,
    ) -> Option<i64> {
        match attempts.begin(account, from.into(), at(now)) {
            Ok(_counts_as_failed) => None,
            Err(ControlError::TooManyAttempts { retry_after }) => Some(retry_after.num_seconds()),
            Err(err) => panic!("{err}"),
        }
    }

    #[test]
    fn an_account_is_tried_so_often_from_anywhere_and_then_once_in_each_pause() {
        let attempts = Attempts::new(LIMITS);
        for last in 0..3 {
            assert_eq!(wait(&attempts, "ada", address(last), 0), None);
        }
        assert_eq!(wait(&attempts, "ada", address(9), 0), Some(60));
        assert_eq!(wait(&attempts, "ada", address(9), 59), Some(1));
        assert_eq!(wait(&attempts, "grace", address(9), 59), None, "others are not concerned");
        assert_eq!(wait(&attempts, "ada", address(9), 60), None);
        assert_eq!(wait(&attempts, "ada", address(9), 60), Some(60));
        assert_eq!(wait(&attempts, "ada", address(9), 3_600), None);
    }

    #[test]
    fn one_address_tries_so_often_whichever_account_it_is() {
        let attempts = Attempts::new(LIMITS);
        for account in ["a", "b", "c", "d", "e"] {
            assert_eq!(wait(&attempts, account, address(1), 0), None);
        }
        assert_eq!(wait(&attempts, "f", address(1), 0), Some(60));
        assert_eq!(wait(&attempts, "f", address(2), 0), None);
        assert_eq!(wait(&attempts, "g", None, 0), None, "an unknown address counts for none");
    }

    #[test]
    fn whoever_has_a_network_does_not_have_more_tries() {
        let attempts = Attempts::new(LIMITS);
        for (at, account) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
            let from: IpAddr = format!("2001:db8::{at}").parse().unwrap();
            assert_eq!(wait(&attempts, account, from, 0), None);
        }
        let neighbour: IpAddr = "2001:db8::ffff:ffff:ffff:ffff".parse().unwrap();
        assert_eq!(wait(&attempts, "f", neighbour, 0), Some(60));
        let another: IpAddr = "2001:db8:0:1::".parse().unwrap();
        assert_eq!(wait(&attempts, "f", another, 0), None);
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        for account in ["v", "w", "x", "y", "z"] {
            assert_eq!(wait(&attempts, account, mapped, 0), None);
        }
        assert_eq!(wait(&attempts, "f", address(1), 0), Some(60), "written otherwise, the same");
    }

    #[test]
    fn whoever_is_not_known_yet_counts_for_their_address() {
        let attempts = Attempts::new(LIMITS);
        for _ in 0..5 {
            let _counts_as_failed = attempts.begin_from(Some(address(1)), at(0)).unwrap();
        }
        assert!(attempts.begin_from(Some(address(1)), at(0)).is_err());
        assert_eq!(wait(&attempts, "ada", address(1), 0), Some(60));
        attempts.begin_from(Some(address(2)), at(0)).unwrap().forgive();
        assert!(attempts.begin_from(None, at(0)).is_ok());
        assert!(attempts.state.lock().unwrap().accounts.0.is_empty());
    }

    #[test]
    fn what_was_right_does_not_count() {
        let attempts = Attempts::new(LIMITS);
        for _ in 0..100 {
            attempts.begin("ada", Some(address(1)), at(0)).unwrap().forgive();
        }
        assert_eq!(wait(&attempts, "ada", address(1), 0), None);
    }

    #[test]
    fn memory_is_bounded_and_nobody_is_let_off_by_filling_it() {
        let attempts = Attempts::new(LIMITS);
        for _ in 0..3 {
            assert_eq!(wait(&attempts, "ada", None, 0), None);
        }
        for other in 0..3 * MOST_KEPT {
            assert_eq!(wait(&attempts, &other.to_string(), None, 0), None);
        }
        assert!(attempts.state.lock().unwrap().accounts.0.len() <= MOST_KEPT);
        assert_eq!(wait(&attempts, "ada", None, 0), Some(60));
    }
}
