//! When a certificate is renewed.

use chrono::{DateTime, TimeDelta, Utc};

/// When a certificate that is accepted from `not_before` to `not_after` is to be renewed: after two
/// thirds of its life, and before three quarters of it. `random` says where in between, so that
/// those that were issued together are not renewed together; the same number gives the same answer.
#[must_use]
pub fn renew_at(not_before: DateTime<Utc>, not_after: DateTime<Utc>, random: u64) -> DateTime<Utc> {
    let life = (not_after - not_before).num_seconds().max(0);
    let spread = (i128::from(life / 12) * i128::from(random)) >> u64::BITS;
    let later = life - life / 3 + i64::try_from(spread).unwrap_or(0);
    not_before + TimeDelta::seconds(later)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::{any, proptest};

    use super::renew_at;

    #[test]
    fn ninety_days_are_renewed_in_the_week_after_sixty() {
        let issued = DateTime::<Utc>::UNIX_EPOCH;
        let expires = issued + TimeDelta::days(90);
        let day = |random| (renew_at(issued, expires, random) - issued).num_hours();
        assert_eq!(day(0), 60 * 24);
        assert_eq!(day(u64::MAX / 2), 63 * 24 + 17);
        assert_eq!(day(u64::MAX), 67 * 24 + 11);
    }

    #[test]
    fn what_has_no_life_is_renewed_at_once() {
        let issued = DateTime::<Utc>::UNIX_EPOCH;
        assert_eq!(renew_at(issued, issued - TimeDelta::days(1), u64::MAX), issued);
    }

    proptest! {
        #[test]
        fn it_is_always_within_its_life(
            from in -1_000_000_000_000_i64..1_000_000_000_000,
            life in 0_i64..100_000_000_000,
            random in any::<u64>(),
        ) {
            let issued = DateTime::from_timestamp(from, 0).unwrap();
            let expires = issued + TimeDelta::seconds(life);
            let renewal = renew_at(issued, expires, random);
            assert!(issued + TimeDelta::seconds(life / 3 * 2) <= renewal, "{renewal}");
            assert!(renewal <= issued + TimeDelta::seconds(life / 4 * 3 + 3), "{renewal}");
            assert!(renewal <= expires, "{renewal}");
        }
    }
}
