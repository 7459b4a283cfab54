//! Deployments.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use windlass_domain::{
    CommitId, Deployment, DeploymentKind, Effects, Id, NewDeployment, TransitionError, Trigger,
};

use crate::machine::{Machine, Timed, check, sequences};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    StartBuilding,
    RestartBuilding,
    StartDeploying,
    GoLive,
    Supersede,
    Fail,
    Cancel,
}

/// A deployment that builds, and one that rolls back to what was built before.
#[derive(Debug, Clone, PartialEq)]
struct Building(Deployment);
#[derive(Debug, Clone, PartialEq)]
struct RollingBack(Deployment);

fn apply(
    deployment: Deployment,
    event: Event,
    fx: Effects<'_>,
) -> Result<Deployment, TransitionError> {
    let now = fx.clock.now();
    match event {
        Event::StartBuilding => deployment.start_building(commit(), now),
        Event::RestartBuilding => deployment.restart_building(Id::generate(fx), now),
        Event::StartDeploying => deployment.start_deploying(now),
        Event::GoLive => deployment.go_live(now),
        Event::Supersede => deployment.supersede(now),
        Event::Fail => deployment.fail("it never answered", now),
        Event::Cancel => deployment.cancel("somebody called it off", now),
    }
}

macro_rules! machine {
    ($machine:ident, queued: $queued:expr) => {
        impl Machine for $machine {
            const ENTITY: &'static str = "deployment";
            const EDGES: &'static [(&'static str, &'static [&'static str])] = &[
                ("queued", $queued),
                ("building", &["building", "deploying", "failed", "cancelled"]),
                ("deploying", &["live", "failed", "cancelled"]),
                ("live", &["superseded", "failed"]),
                ("superseded", &[]),
                ("failed", &[]),
                ("cancelled", &[]),
            ];

            type Event = Event;

            fn state(&self) -> &'static str {
                self.0.state.name()
            }

            fn apply(self, event: &Event, fx: Effects<'_>) -> Result<Self, TransitionError> {
                apply(self.0, *event, fx).map(Self)
            }

            fn progress(&self) -> Option<(DateTime<Utc>, u64)> {
                None
            }
        }
    };
}

machine!(Building, queued: &["building", "failed", "cancelled"]);
machine!(RollingBack, queued: &["building", "deploying", "failed", "cancelled"]);

fn commit() -> CommitId {
    "0123456789012345678901234567890123456789".parse().expect("it has forty digits")
}

fn deployment(trigger: Trigger, fx: Effects<'_>) -> Deployment {
    let new = NewDeployment {
        organization_id: Id::generate(fx),
        project_id: Id::generate(fx),
        environment_id: Id::generate(fx),
        kind: DeploymentKind::Incremental,
        trigger,
        requested_by: "key".to_owned(),
        commit: None,
        build_id: Id::generate(fx),
    };
    Deployment::request(new, fx)
}

fn events() -> impl Strategy<Value = Vec<Timed<Event>>> {
    sequences(prop_oneof![
        4 => Just(Event::StartBuilding),
        4 => Just(Event::RestartBuilding),
        4 => Just(Event::StartDeploying),
        4 => Just(Event::GoLive),
        2 => Just(Event::Supersede),
        1 => Just(Event::Fail),
        1 => Just(Event::Cancel),
    ])
}

fn is_consistent(deployment: &Deployment, edges: &[(&str, &[&str])]) -> Result<(), TestCaseError> {
    let name = deployment.state.name();
    let ends = edges.iter().any(|(state, next)| *state == name && next.is_empty());
    prop_assert_eq!(deployment.state.is_terminal(), ends, "{}", name);
    prop_assert_eq!(deployment.state.is_settled(), ends || name == "live", "{}", name);
    prop_assert!(deployment.created_at <= deployment.updated_at);
    Ok(())
}

proptest! {
    #[test]
    fn a_deployment_takes_only_allowed_steps(events in events()) {
        let create = |fx: Effects<'_>| Building(deployment(Trigger::Rebuild, fx));
        check(create, &events, |it| is_consistent(&it.0, Building::EDGES))?;
    }

    #[test]
    fn only_a_rollback_may_go_without_a_build(events in events()) {
        let create = |fx: Effects<'_>| {
            RollingBack(deployment(Trigger::Rollback { to: Id::generate(fx) }, fx))
        };
        check(create, &events, |it| is_consistent(&it.0, RollingBack::EDGES))?;
    }
}
