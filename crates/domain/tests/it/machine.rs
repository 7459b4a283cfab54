//! What every state machine must keep, checked along a random sequence of events.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{prelude::*, test_runner::TestCaseResult};
use windlass_domain::{
    Clock as _, Effects, TransitionError,
    test_util::{CountingEntropy, ManualClock},
};

/// An entity whose states are related by events.
pub(crate) trait Machine: Clone + PartialEq + std::fmt::Debug {
    /// Its kind, as errors name it.
    const ENTITY: &'static str;
    /// Every state with those that may follow it; those that have none are terminal.
    const EDGES: &'static [(&'static str, &'static [&'static str])];

    type Event: Clone + std::fmt::Debug;

    fn state(&self) -> &'static str;

    fn apply(self, event: &Self::Event, fx: Effects<'_>) -> Result<Self, TransitionError>;

    /// When it last changed, and how often, where it keeps that.
    fn progress(&self) -> Option<(DateTime<Utc>, u64)>;
}

/// Some time that passes, then an event.
pub(crate) type Timed<E> = (u8, E);

pub(crate) fn sequences<E: Clone + std::fmt::Debug>(
    event: impl Strategy<Value = E>,
) -> impl Strategy<Value = Vec<Timed<E>>> {
    proptest::collection::vec((any::<u8>(), event), 0..24)
}

/// Applies the events one after another; the last entity is for checks of the machine's own.
pub(crate) fn check<M: Machine>(
    create: impl FnOnce(Effects<'_>) -> M,
    events: &[Timed<M::Event>],
    own: impl Fn(&M) -> TestCaseResult,
) -> TestCaseResult {
    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let fx = entropy.with(&clock);
    let mut machine = create(fx);
    prop_assert_eq!(machine.state(), M::EDGES[0].0, "the first state");
    for (seconds, event) in events {
        clock.advance(TimeDelta::seconds(i64::from(*seconds)));
        let (before, from) = (machine.clone(), machine.state());
        let Some((_, next)) = M::EDGES.iter().find(|(state, _)| *state == from) else {
            return Err(TestCaseError::fail(format!("{from} is not a state")));
        };
        match machine.clone().apply(event, fx) {
            Ok(after) => {
                let to = after.state();
                prop_assert!(next.contains(&to), "{from} became {to} by {event:?}");
                let is_unchanged = after == before;
                if let (Some(old), Some(new)) = (before.progress(), after.progress()) {
                    let expected = if is_unchanged { old } else { (clock.now(), old.1 + 1) };
                    prop_assert_eq!(new, expected, "{:?}", event);
                }
                machine = after;
            }
            Err(refusal) => {
                prop_assert_eq!((refusal.entity, refusal.state), (M::ENTITY, from));
                let text = refusal.to_string();
                let expected = format!("cannot {} a {} that is {from}", refusal.wanted, M::ENTITY);
                prop_assert_eq!(text, expected);
            }
        }
        own(&machine)?;
    }
    Ok(())
}
