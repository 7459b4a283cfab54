//! Jobs.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use windlass_domain::{
    Backoff, Effects, Id, Job, JobKind, JobState, NewJob, TransitionError, WorkerId,
};

use crate::machine::{Machine, check, sequences};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Lease,
    Extend,
    Release,
    Succeed,
    Fail,
    Cancel,
}

const LEASE: TimeDelta = TimeDelta::seconds(60);
const MAX_ATTEMPTS: u32 = 3;
const BACKOFF: Backoff = Backoff { first: TimeDelta::seconds(10), most: TimeDelta::seconds(100) };

impl Machine for Job {
    const ENTITY: &'static str = "job";
    const EDGES: &'static [(&'static str, &'static [&'static str])] = &[
        ("queued", &["leased", "cancelled"]),
        ("leased", &["leased", "queued", "succeeded", "dead"]),
        ("succeeded", &[]),
        ("dead", &[]),
        ("cancelled", &[]),
    ];

    type Event = Event;

    fn state(&self) -> &'static str {
        self.state.name()
    }

    fn apply(self, event: &Event, fx: Effects<'_>) -> Result<Self, TransitionError> {
        let now = fx.clock.now();
        match event {
            Event::Lease => self.lease(WorkerId::new("w".to_owned()), now + LEASE, now),
            Event::Extend => self.extend(now + LEASE),
            Event::Release => self.release(now),
            Event::Succeed => self.succeed(now),
            Event::Fail => self.fail("it broke", BACKOFF, fx),
            Event::Cancel => self.cancel("somebody called it off", now),
        }
    }

    fn progress(&self) -> Option<(DateTime<Utc>, u64)> {
        None
    }
}

fn job(fx: Effects<'_>) -> Job {
    let new = NewJob {
        organization_id: Id::generate(fx),
        lane: None,
        kind: JobKind::Deploy { deployment_id: Id::generate(fx) },
        max_attempts: MAX_ATTEMPTS,
        request_id: None,
    };
    Job::enqueue(new, fx)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Lease),
        2 => Just(Event::Extend),
        1 => Just(Event::Release),
        1 => Just(Event::Succeed),
        4 => Just(Event::Fail),
        1 => Just(Event::Cancel),
    ]
}

proptest! {
    #[test]
    fn a_job_takes_only_allowed_steps(events in sequences(event())) {
        check(job, &events, |job| {
            let ends = matches!(job.state.name(), "succeeded" | "dead" | "cancelled");
            prop_assert_eq!(job.state.is_terminal(), ends);
            prop_assert!(u64::from(job.attempts) <= job.fence);
            if let JobState::Dead { .. } = job.state {
                prop_assert!(MAX_ATTEMPTS <= job.attempts);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_lease_is_given_only_when_it_is_due_and_each_has_a_higher_fence(
        seconds in 0_i64..200,
        events in proptest::collection::vec(event(), 0..8),
    ) {
        let clock = windlass_domain::test_util::ManualClock::default();
        let entropy = windlass_domain::test_util::CountingEntropy::default();
        let fx = entropy.with(&clock);
        let job = events.iter().fold(job(fx), |job, event| {
            job.clone().apply(event, fx).unwrap_or(job)
        });
        let now = fx.clock.now() + TimeDelta::seconds(seconds);
        let due = match &job.state {
            JobState::Queued { run_at, .. } => Some(*run_at),
            JobState::Leased { until, .. } => Some(*until),
            JobState::Succeeded { .. } | JobState::Dead { .. } | JobState::Cancelled { .. } => None,
        };
        let leased = job.clone().lease(WorkerId::new("w".to_owned()), now + LEASE, now);
        prop_assert_eq!(leased.is_ok(), due.is_some_and(|due| due <= now));
        if let Ok(leased) = leased {
            prop_assert_eq!((leased.fence, leased.attempts), (job.fence + 1, job.attempts + 1));
        }
    }
}
