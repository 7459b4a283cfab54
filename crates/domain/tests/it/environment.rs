//! Environments.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use windlass_domain::{
    BranchName, Effects, Environment, EnvironmentKind, EnvironmentState, HostLabel, Id,
    NewEnvironment, PausedBy, Resources, Slug, TransitionError,
    test_util::{CountingEntropy, ManualClock},
};

use crate::machine::{Machine, check, sequences};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    GoLive,
    DeploymentFailed,
    AppFailed,
    Refresh,
    Allot,
    Pause(PausedBy),
    Resume,
    Reset,
    Emptied,
    SetUp,
    Destroy,
    FinishDestroying,
}

const DEPLOYABLE: [&str; 5] = ["provisioning", "active", "paused", "resetting", "failed"];

impl Machine for Environment {
    const ENTITY: &'static str = "environment";
    const EDGES: &'static [(&'static str, &'static [&'static str])] = &[
        ("provisioning", &["provisioning", "active", "failed", "destroying"]),
        ("active", &["active", "paused", "resetting", "failed", "destroying"]),
        ("paused", &["active", "paused", "resetting", "destroying"]),
        ("resetting", &["provisioning", "active", "resetting", "failed", "destroying"]),
        ("failed", &["active", "resetting", "failed", "destroying"]),
        ("destroying", &["destroyed"]),
        ("destroyed", &[]),
    ];

    type Event = Event;

    fn state(&self) -> &'static str {
        self.state.name()
    }

    fn apply(self, event: &Event, fx: Effects<'_>) -> Result<Self, TransitionError> {
        let now = fx.clock.now();
        match event {
            Event::GoLive => self.go_live(Id::generate(fx), now),
            Event::DeploymentFailed => self.deployment_failed("the build failed", now),
            Event::AppFailed => self.app_failed("it kept crashing", now),
            Event::Refresh => self.refresh(now),
            Event::Allot => self.allot(Resources::default(), now),
            Event::Pause(by) => self.pause(*by, now),
            Event::Resume => self.resume(now),
            Event::Reset => self.reset(now),
            Event::Emptied => self.emptied(now),
            Event::SetUp => self.set_up(now),
            Event::Destroy => self.destroy(now),
            Event::FinishDestroying => self.finish_destroying(now),
        }
    }

    fn progress(&self) -> Option<(DateTime<Utc>, u64)> {
        Some((self.updated_at, self.version))
    }
}

fn environment(fx: Effects<'_>) -> Environment {
    let branch: BranchName = "main".parse().expect("it is a branch");
    let host = HostLabel::suffixed(&branch, &Slug::from_text("shop", "project"), "x1");
    let (organization_id, project_id) = (Id::generate(fx), Id::generate(fx));
    let kind = EnvironmentKind::Preview;
    Environment::create(NewEnvironment { organization_id, project_id, branch, kind, host }, fx)
}

proptest! {
    #[test]
    fn an_environment_takes_only_allowed_steps(
        events in sequences(prop_oneof![
            4 => Just(Event::GoLive),
            4 => Just(Event::DeploymentFailed),
            4 => Just(Event::AppFailed),
            1 => Just(Event::Refresh),
            1 => Just(Event::Allot),
            1 => Just(Event::Pause(PausedBy::Person)),
            1 => Just(Event::Pause(PausedBy::Idleness)),
            2 => Just(Event::Resume),
            1 => Just(Event::Reset),
            1 => Just(Event::Emptied),
            1 => Just(Event::SetUp),
            1 => Just(Event::Destroy),
            1 => Just(Event::FinishDestroying),
        ])
    ) {
        check(environment, &events, |environment| {
            let (state, live) = (&environment.state, environment.live_deployment);
            prop_assert!(environment.was_live || live.is_none());
            match state {
                EnvironmentState::Active | EnvironmentState::Paused { .. } => prop_assert!(live.is_some()),
                EnvironmentState::Resetting | EnvironmentState::Destroying => {}
                EnvironmentState::Provisioning => prop_assert!(!environment.was_live),
                EnvironmentState::Failed { .. }
                | EnvironmentState::Destroyed { .. } => prop_assert!(live.is_none(), "{state:?}"),
            }
            let is_deployable = DEPLOYABLE.contains(&state.name());
            prop_assert_eq!(environment.check_deployable().is_ok(), is_deployable);
            Ok(())
        })?;
    }
}

#[test]
fn an_environment_in_which_an_app_has_answered_once_was_live_until_it_is_reset()
-> Result<(), TransitionError> {
    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let fx = entropy.with(&clock);
    let now = fx.clock.now();
    let failed = environment(fx).deployment_failed("the build failed", now)?;
    assert!(!failed.was_live);
    let live = failed.go_live(Id::generate(fx), now)?;
    assert!(live.was_live);
    let failed = live.app_failed("it kept crashing", now)?;
    assert!(failed.was_live);
    assert!(!failed.reset(now)?.emptied(now)?.was_live);
    Ok(())
}

#[test]
fn what_is_run_once_is_due_again_when_an_environment_was_emptied() -> Result<(), TransitionError> {
    let (clock, entropy) = (ManualClock::default(), CountingEntropy::default());
    let fx = entropy.with(&clock);
    let now = fx.clock.now();
    let new = environment(fx);
    assert!(!new.is_set_up);
    let live = new.set_up(now)?.go_live(Id::generate(fx), now)?;
    assert!(live.is_set_up);
    let resetting = live.reset(now)?;
    assert!(resetting.is_set_up);
    assert!(!resetting.clone().emptied(now)?.is_set_up);
    // Called off in the middle, it has lost its data all the same.
    let called_off = resetting.deployment_failed("cancelled", now)?;
    assert_eq!(called_off.state, EnvironmentState::Active);
    assert!(!called_off.emptied(now)?.is_set_up);
    Ok(())
}
