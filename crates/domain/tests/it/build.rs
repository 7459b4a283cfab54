//! Builds.

use chrono::{DateTime, Utc};
use proptest::{prelude::*, sample::select};
use windlass_domain::{
    Build, BuildResult, BuildState, Effects, Id, NewBuild, TransitionError, Usage,
};

use crate::machine::{Machine, check, sequences};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Start,
    End(BuildResult),
}

const USAGE: Usage = Usage { cpu_micros: 1, peak_memory_bytes: 2, wall_millis: 3 };

impl Machine for Build {
    const ENTITY: &'static str = "build";
    const EDGES: &'static [(&'static str, &'static [&'static str])] = &[
        (
            "pending",
            &[
                "running",
                "build_failed",
                "cancelled",
                "timeout",
                "max_memory_exceeded",
                "client_error",
                "internal_error",
            ],
        ),
        (
            "running",
            &[
                "built",
                "build_failed",
                "cancelled",
                "timeout",
                "max_memory_exceeded",
                "client_error",
                "internal_error",
            ],
        ),
        ("built", &[]),
        ("build_failed", &[]),
        ("cancelled", &[]),
        ("timeout", &[]),
        ("max_memory_exceeded", &[]),
        ("client_error", &[]),
        ("internal_error", &[]),
    ];

    type Event = Event;

    fn state(&self) -> &'static str {
        self.state.name()
    }

    fn apply(self, event: &Event, fx: Effects<'_>) -> Result<Self, TransitionError> {
        let now = fx.clock.now();
        match event {
            Event::Start => {
                let commit = "0123456789012345678901234567890123456789".parse();
                self.start(commit.expect("it has forty digits"), now)
            }
            Event::End(result) => self.end(*result, "it ended", USAGE, now),
        }
    }

    fn progress(&self) -> Option<(DateTime<Utc>, u64)> {
        None
    }
}

fn build(fx: Effects<'_>) -> Build {
    let new = NewBuild {
        organization_id: Id::generate(fx),
        project_id: Id::generate(fx),
        environment_id: Id::generate(fx),
        number: 1,
        restart_of: None,
    };
    Build::request(new, fx)
}

proptest! {
    #[test]
    fn a_build_takes_only_allowed_steps_and_uses_something_only_while_it_runs(
        events in sequences(prop_oneof![
            1 => Just(Event::Start),
            1 => select(&BuildResult::ALL[..]).prop_map(Event::End),
        ])
    ) {
        check(build, &events, |build| {
            let BuildState::Ended(end) = &build.state else { return Ok(()) };
            prop_assert_eq!(end.started_at.is_some(), build.commit.is_some());
            let used = if end.started_at.is_some() { USAGE } else { Usage::default() };
            prop_assert_eq!(end.usage, used);
            prop_assert!(build.created_at <= end.started_at.unwrap_or(end.at));
            prop_assert!(end.started_at.is_none_or(|started| started <= end.at));
            Ok(())
        })?;
    }
}
