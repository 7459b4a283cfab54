//! Environments rest and go on, whatever is under way in them.

use windlass_control::{
    ControlError, Expected, RouteTarget, destroy_environment, pause_environment,
    rebuild_environment, reset_environment, resume_environment,
};
use windlass_domain::{
    BuildState, DeploymentId, DeploymentState, Environment, EnvironmentId, EnvironmentState, LogId,
    PausedBy, Project, ProjectSettings, Services,
};
use windlass_engine::fake::{AppScript, BuildScript, Fault, Gate, Operation};
use windlass_storage::Store as _;

use crate::support::{FX, Platform};

/// What each operation does in each state, for people; and for the test that follows.
const TABLE: &str = include_str!("../../../../ARCHITECTURE.md");
const PAUSED: EnvironmentState = EnvironmentState::Paused { by: PausedBy::Person };
const OPERATIONS: [&str; 5] = ["rebuild", "pause", "resume", "reset", "destroy"];

#[tokio::test]
async fn what_is_done_in_which_state_is_what_the_table_says() {
    let platform = Platform::new("pause_table").await;
    let services = Services { postgres: true, ..Services::NONE };
    let settings = ProjectSettings { services, ..ProjectSettings::default() };
    let project = platform.project_with("Shop", settings).await;
    let row_of = |name: &str| {
        let start = format!("| {name} |");
        let row = TABLE.lines().find(|line| line.starts_with(&start));
        let cells = row.unwrap_or_else(|| panic!("no row of {name}")).trim_matches('|').split('|');
        cells.skip(1).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let states = row_of("operation");
    assert_eq!(
        states,
        ["provisioning", "active", "paused", "resetting", "failed", "destroying", "destroyed"]
            .map(|state| format!("`{state}`"))
    );
    for operation in OPERATIONS {
        for (state, expected) in states.iter().zip(row_of(operation)) {
            let environment = in_state(&platform, &project, state.trim_matches('`')).await;
            let done = operate(&platform, operation, environment.id).await;
            let now = platform.environment_now(environment.id).await;
            let seen = match done {
                Ok(()) => format!("`{}`", now.state.name()),
                Err(ControlError::Conflict { code: "wrong_state", .. }) => {
                    assert_eq!(now, environment, "{operation} in {state}");
                    "409".to_owned()
                }
                Err(err) => panic!("{operation} in {state}: {err:?}"),
            };
            assert_eq!(seen, expected, "{operation} in {state}");
            leave(&platform, environment.id).await;
        }
    }
}

/// A new environment, past the use cases.
async fn in_state(platform: &Platform, project: &Project, state: &str) -> Environment {
    let (environment, deployment) = platform.environment(project).await;
    let now = FX.clock.now();
    let live = |environment: Environment| environment.go_live(deployment.id, now).unwrap();
    let environment = match state {
        "provisioning" => return environment,
        "active" => live(environment),
        "paused" => live(environment).pause(PausedBy::Person, now).unwrap(),
        "resetting" => {
            store(platform, &live(environment.clone())).await;
            operate(platform, "reset", environment.id).await.unwrap();
            return platform.environment_now(environment.id).await;
        }
        "failed" => environment.deployment_failed("why", now).unwrap(),
        "destroying" => environment.destroy(now).unwrap(),
        "destroyed" => environment.destroy(now).unwrap().finish_destroying(now).unwrap(),
        other => panic!("{other}"),
    };
    store(platform, &environment).await;
    platform.environment_now(environment.id).await
}

async fn operate(
    platform: &Platform,
    operation: &str,
    id: EnvironmentId,
) -> Result<(), ControlError> {
    let (control, owner) = (&platform.control, &platform.owner);
    match operation {
        "rebuild" => rebuild_environment(control, owner, id).await.map(drop),
        "pause" => pause_environment(control, owner, id, Expected::Any).await.map(drop),
        "resume" => resume_environment(control, owner, id, Expected::Any).await.map(drop),
        "reset" => reset_environment(control, owner, id, Expected::Any).await.map(drop),
        "destroy" => destroy_environment(control, owner, id, Expected::Any).await.map(drop),
        other => panic!("{other}"),
    }
}

/// Makes room for the next one of the branch.
async fn leave(platform: &Platform, id: EnvironmentId) {
    let now = FX.clock.now();
    let environment = platform.environment_now(id).await;
    let destroying = match environment.state {
        EnvironmentState::Destroyed { .. } => return,
        EnvironmentState::Destroying => environment,
        EnvironmentState::Provisioning
        | EnvironmentState::Active
        | EnvironmentState::Paused { .. }
        | EnvironmentState::Resetting
        | EnvironmentState::Failed { .. } => environment.destroy(now).unwrap(),
    };
    store(platform, &destroying.finish_destroying(now).unwrap()).await;
}

async fn store(platform: &Platform, environment: &Environment) {
    let mut uow = platform.store.write().await.unwrap();
    uow.environments().update(environment).await.unwrap();
    uow.commit().await.unwrap();
}

async fn route_is(platform: &Platform, environment: &Environment, wanted: &RouteTarget) {
    platform
        .until("the route changes", || async {
            (platform.routes.get(&environment.host).as_ref() == Some(wanted)).then_some(())
        })
        .await;
}

async fn stopped(platform: &Platform, deployment: DeploymentId) {
    platform
        .until("the app is stopped", || async {
            platform.engine.app_request(deployment).is_none().then_some(())
        })
        .await;
}

async fn pause(platform: &Platform, id: EnvironmentId) {
    let paused = pause_environment(&platform.control, &platform.owner, id, Expected::Any).await;
    assert_eq!(paused.unwrap().state, PAUSED);
}

async fn resume(platform: &Platform, id: EnvironmentId) {
    let resumed = resume_environment(&platform.control, &platform.owner, id, Expected::Any).await;
    assert_eq!(resumed.unwrap().state, EnvironmentState::Active);
}

#[tokio::test]
async fn an_app_is_stopped_and_started_again_without_a_build() {
    let platform = Platform::new("pause_live").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;

    for _ in 0..2 {
        pause(&platform, environment.id).await;
        route_is(&platform, &environment, &RouteTarget::Paused).await;
        stopped(&platform, deployment.id).await;
        pause(&platform, environment.id).await;
        let live = platform.deployment(deployment.id).await;
        assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");

        resume(&platform, environment.id).await;
        let running = platform
            .until("the app runs", || async { platform.engine.running(deployment.id) })
            .await;
        route_is(&platform, &environment, &RouteTarget::App(running.addresses)).await;
        resume(&platform, environment.id).await;
    }
    assert_eq!(platform.engine.runs(deployment.build_id), 1);
    let log = platform.log(LogId::App(environment.id)).await;
    let said = |text: &str| log.iter().filter(|line| *line == text).count();
    assert_eq!((said("The environment was paused"), said("The environment was resumed")), (2, 2));
}

#[tokio::test]
async fn what_is_being_built_ends_when_the_environment_is_paused() {
    let platform = Platform::new("pause_building").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;
    let gate = Gate::closed();
    let commit = platform.push('b');
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let building = platform.rebuild(environment.id).await;
    gate.reached().await;
    let waiting = platform.rebuild(environment.id).await;

    pause(&platform, environment.id).await;
    for id in [building.id, waiting.id] {
        let build = platform.build_ended(id).await;
        assert!(matches!(build.state, BuildState::Ended(_)), "{build:?}");
        let cancelled = platform.deployment(id).await;
        let DeploymentState::Cancelled { reason, .. } = &cancelled.state else {
            panic!("{cancelled:?}");
        };
        assert_eq!(reason, "the environment was paused");
    }
    stopped(&platform, first.id).await;
    route_is(&platform, &environment, &RouteTarget::Paused).await;
}

#[tokio::test]
async fn a_deployment_wakes_a_paused_environment_once_it_is_live() {
    let platform = Platform::new("pause_wake").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;
    pause(&platform, environment.id).await;

    // One that fails leaves it as it is.
    let bad = platform.push('b');
    platform.engine.script_app(&bad, AppScript::failing("it does not start"));
    let failed = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert!(matches!(failed.state, DeploymentState::Failed { .. }), "{failed:?}");
    let now = platform.environment_now(environment.id).await;
    assert_eq!((now.state, now.live_deployment), (PAUSED, Some(first.id)));

    platform.push('c');
    let live = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");
    let now = platform.environment_now(environment.id).await;
    assert_eq!((now.state, now.live_deployment), (EnvironmentState::Active, Some(live.id)));
    let running = platform.engine.running(live.id).unwrap();
    route_is(&platform, &environment, &RouteTarget::App(running.addresses)).await;
}

#[tokio::test]
async fn a_pause_outlives_its_server_and_a_job_that_was_given_up() {
    let platform = Platform::new("pause_killed").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let server = platform.serve("one");
    platform.settled(deployment.id).await;
    server.kill();
    pause(&platform, environment.id).await;
    platform.engine.fail_next(Operation::Stop, Fault::Internal, 3);
    let _next = platform.serve("two");
    stopped(&platform, deployment.id).await;
    let now = platform.environment_now(environment.id).await;
    assert_eq!((now.state, now.live_deployment), (PAUSED, Some(deployment.id)));
}

#[tokio::test]
async fn a_paused_app_that_cannot_be_started_again_has_failed() {
    let platform = Platform::new("pause_lost").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    pause(&platform, environment.id).await;
    stopped(&platform, deployment.id).await;
    platform.engine.lose_disk();
    resume(&platform, environment.id).await;
    let reason = platform
        .until("the environment has failed", || async {
            match platform.environment_now(environment.id).await.state {
                EnvironmentState::Failed { reason } => Some(reason),
                EnvironmentState::Provisioning
                | EnvironmentState::Active
                | EnvironmentState::Paused { .. }
                | EnvironmentState::Resetting
                | EnvironmentState::Destroying
                | EnvironmentState::Destroyed { .. } => None,
            }
        })
        .await;
    assert!(reason.contains("build"), "{reason}");
}

#[tokio::test]
async fn a_paused_environment_can_be_destroyed() {
    let platform = Platform::new("pause_destroy").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    pause(&platform, environment.id).await;
    operate(&platform, "destroy", environment.id).await.unwrap();
    platform
        .until("the environment is destroyed", || async {
            let environment = platform.environment_now(environment.id).await;
            matches!(environment.state, EnvironmentState::Destroyed { .. }).then_some(())
        })
        .await;
    let deployment = platform.deployment(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Superseded { .. }), "{deployment:?}");
}
