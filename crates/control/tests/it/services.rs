//! Apps get the databases, Redis servers and buckets that they ask for, as long as they need them.

use secrecy::ExposeSecret as _;
use windlass_control::{
    ControlError, Expected, PutEnvVar, cancel_deployment, destroy_environment, pause_environment,
    put_env_var, reset_environment, resume_environment,
};
use windlass_domain::{
    Deployment, DeploymentId, DeploymentKind, DeploymentState, Environment, EnvironmentId,
    EnvironmentState, LogId, Project, ProjectSettings, Services, Trigger,
};
use windlass_engine::fake::{AppScript, BuildScript, Fault, Gate, Operation};

use crate::support::Platform;

const WANTED: Services = Services { postgres: true, redis: true, s3: false };

async fn shop(platform: &Platform) -> Project {
    let settings = ProjectSettings { services: WANTED, ..ProjectSettings::default() };
    platform.project_with("Shop", settings).await
}

/// A project with services whose first deployment is live.
async fn live(platform: &Platform) -> (Environment, Deployment) {
    platform.push('a');
    let project = shop(platform).await;
    let (environment, deployment) = platform.environment(&project).await;
    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    (environment, deployment)
}

fn variable(platform: &Platform, deployment: DeploymentId, key: &str) -> Option<String> {
    let request = platform.engine.app_request(deployment)?;
    let found = request.variables.iter().find(|variable| variable.key.as_str() == key);
    found.map(|variable| variable.value.expose_secret().to_owned())
}

async fn services_are(platform: &Platform, id: EnvironmentId, wanted: Option<Services>) {
    platform
        .until("the services are as they should be", || async {
            (platform.services.of(id).map(|has| has.active) == wanted).then_some(())
        })
        .await;
}

async fn reset(platform: &Platform, id: EnvironmentId) -> Deployment {
    let (control, owner) = (&platform.control, &platform.owner);
    reset_environment(control, owner, id, Expected::Any).await.unwrap()
}

fn refused(outcome: Result<Deployment, ControlError>) -> (&'static str, String) {
    let Err(ControlError::Conflict { code, message, .. }) = outcome else { panic!("{outcome:?}") };
    (code, message)
}

#[tokio::test]
async fn an_app_is_told_how_to_reach_what_its_project_asks_for() {
    let platform = Platform::new("services_given").await;
    let _server = platform.serve("one");
    let (environment, deployment) = live(&platform).await;

    let id = environment.id;
    let at = |key| variable(&platform, deployment.id, key);
    assert_eq!(at("DATABASE_URL"), Some(format!("postgres://{id}")));
    assert_eq!(at("REDIS_URL"), Some(format!("redis://{id}")));
    assert_eq!(at("S3_BUCKET"), None);
    assert_eq!(platform.services.of(id).map(|has| has.active), Some(WANTED));
    let build = platform.engine.build_request(deployment.build_id).unwrap();
    assert!(build.variables.is_empty(), "{build:?}");

    // Whoever names another database means it.
    let own = PutEnvVar {
        key: "DATABASE_URL".parse().unwrap(),
        value: "postgres://elsewhere".into(),
        environment_id: None,
        previews: None,
    };
    let project = environment.project_id;
    put_env_var(&platform.control, &platform.owner, project, own).await.unwrap();
    let next = platform.settled(platform.rebuild(id).await.id).await;
    let at = |key| variable(&platform, next.id, key);
    assert_eq!(at("DATABASE_URL"), Some("postgres://elsewhere".to_owned()));
    assert_eq!(at("REDIS_URL"), Some(format!("redis://{id}")));
}

#[tokio::test]
async fn the_file_of_a_commit_decides_what_its_app_gets() {
    let platform = Platform::new("services_file").await;
    let _server = platform.serve("one");
    let commit = platform.push('a');
    platform.engine.commit_file(&commit, "windlass.yaml", "services: { redis: false, s3: true }");
    let (environment, deployment) = platform.environment(&shop(&platform).await).await;
    platform.settled(deployment.id).await;

    let wanted = Services { postgres: true, redis: false, s3: true };
    assert_eq!(platform.services.of(environment.id).map(|has| has.active), Some(wanted));
    assert!(variable(&platform, deployment.id, "S3_BUCKET").is_some());
}

#[tokio::test]
async fn services_rest_with_their_app_and_go_with_their_environment() {
    let platform = Platform::new("services_life").await;
    let _server = platform.serve("one");
    let (environment, deployment) = live(&platform).await;
    let id = environment.id;
    let (control, owner) = (&platform.control, &platform.owner);
    platform.services.write(id, b"kept");

    pause_environment(control, owner, id, Expected::Any).await.unwrap();
    services_are(&platform, id, Some(Services::NONE)).await;
    resume_environment(control, owner, id, Expected::Any).await.unwrap();
    platform.until("the app runs", || async { platform.engine.running(deployment.id) }).await;
    services_are(&platform, id, Some(WANTED)).await;
    assert_eq!(platform.services.read(id), b"kept");

    destroy_environment(control, owner, id, Expected::Any).await.unwrap();
    services_are(&platform, id, None).await;
}

#[tokio::test]
async fn what_the_machine_lacks_is_said_before_anything_is_built() {
    let platform = Platform::new("services_missing").await;
    let _server = platform.serve("one");
    platform.services.miss("PostgreSQL", "install it");
    platform.push('a');
    let (_, deployment) = platform.environment(&shop(&platform).await).await;
    let deployment = platform.settled(deployment.id).await;
    let DeploymentState::Failed { reason, .. } = &deployment.state else {
        panic!("{deployment:?}");
    };
    assert_eq!(reason, "PostgreSQL is missing: install it");
    assert_eq!(platform.engine.runs(deployment.build_id), 0);
}

#[tokio::test]
async fn a_service_that_fails_once_is_tried_again() {
    let platform = Platform::new("services_retry").await;
    let _server = platform.serve("one");
    let gate = Gate::closed();
    let commit = platform.push('a');
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let (environment, deployment) = platform.environment(&shop(&platform).await).await;
    gate.reached().await;
    platform.services.fail_next(1);
    gate.open();
    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(platform.engine.runs(deployment.build_id), 1);
    assert_eq!(platform.services.of(environment.id).map(|has| has.active), Some(WANTED));
}

#[tokio::test]
async fn what_has_ended_by_itself_is_started_again_and_what_nobody_needs_is_stopped() {
    let platform = Platform::new("services_tended").await;
    let server = platform.serve("one");
    let (environment, deployment) = live(&platform).await;
    let id = environment.id;
    server.stop().await;
    platform.services.crash(id);
    let before = platform.services.of(id).unwrap().provisions;
    let server = platform.serve("two");
    platform
        .until("it is started again", || async {
            (before < platform.services.of(id).unwrap().provisions).then_some(())
        })
        .await;
    assert_eq!(platform.services.of(id).map(|has| has.active), Some(WANTED));
    server.stop().await;

    // An app that has failed needs nothing.
    let reason = "it ended three times".to_owned();
    platform.engine.set_app(deployment.id, windlass_engine::AppState::Crashed { reason });
    let _server = platform.serve("three");
    platform
        .until("the environment has failed", || async {
            let now = platform.environment_now(id).await;
            matches!(now.state, EnvironmentState::Failed { .. }).then_some(())
        })
        .await;
    let _next = platform.serve("four");
    services_are(&platform, id, Some(Services::NONE)).await;
}

#[tokio::test]
async fn a_reset_leaves_an_empty_database_and_the_same_build() {
    let platform = Platform::new("reset_live").await;
    let _server = platform.serve("one");
    let (environment, first) = live(&platform).await;
    let id = environment.id;
    platform.services.write(id, b"orders");

    let begun = reset(&platform, id).await;
    assert_eq!((begun.trigger, begun.kind), (Trigger::Reset, DeploymentKind::BrandNew));
    assert_eq!((begun.build_id, begun.commit.clone()), (first.build_id, first.commit));
    let done = platform.settled(begun.id).await;
    assert!(matches!(done.state, DeploymentState::Live { .. }), "{done:?}");

    assert_eq!(platform.services.read(id), b"");
    assert_eq!(platform.services.of(id).unwrap().resets, 1);
    assert_eq!(platform.engine.runs(first.build_id), 1);
    assert!(platform.engine.app_request(first.id).is_none(), "the old app still runs");
    let now = platform.environment_now(id).await;
    assert_eq!((now.state, now.live_deployment), (EnvironmentState::Active, Some(done.id)));
    let old = platform.deployment(first.id).await;
    assert!(matches!(old.state, DeploymentState::Superseded { .. }), "{old:?}");
    let log = platform.log(LogId::App(id)).await;
    for text in
        ["The environment is being reset", "Everything that its backing services held was removed"]
    {
        assert!(log.iter().any(|line| line == text), "{log:?}");
    }
}

#[tokio::test]
async fn a_reset_calls_off_what_is_on_its_way_and_later_pushes_wait_for_it() {
    let platform = Platform::new("reset_busy").await;
    let _server = platform.serve("one");
    let (environment, _) = live(&platform).await;
    let id = environment.id;
    let (building, starting) = (Gate::closed(), Gate::closed());
    let commit = platform.push('b');
    platform.engine.script_build(&commit, BuildScript::built().wait(&building));
    let under_way = platform.rebuild(id).await;
    building.reached().await;
    platform
        .engine
        .script_app(&"a".repeat(40).parse().unwrap(), AppScript::answering().wait(&starting));

    let resetting = reset(&platform, id).await;
    // Asked again, it is the same one.
    assert_eq!(reset(&platform, id).await.id, resetting.id);
    platform.build_ended(under_way.id).await;
    let cancelled = platform.deployment(under_way.id).await;
    assert!(matches!(cancelled.state, DeploymentState::Cancelled { .. }), "{cancelled:?}");
    platform.push('c');
    let pushed = platform.rebuild(id).await;
    let again = platform.rebuild(id).await;

    starting.reached().await;
    starting.open();
    let done = platform.settled(resetting.id).await;
    assert!(!matches!(done.state, DeploymentState::Cancelled { .. }), "{done:?}");
    let pushed = platform.settled(pushed.id).await;
    assert!(matches!(pushed.state, DeploymentState::Cancelled { .. }), "{pushed:?}");
    let again = platform.settled(again.id).await;
    assert!(matches!(again.state, DeploymentState::Live { .. }), "{again:?}");
    assert_eq!(platform.services.of(id).unwrap().resets, 1);
}

#[tokio::test]
async fn a_reset_outlives_its_server() {
    let platform = Platform::new("reset_killed").await;
    let server = platform.serve("one");
    let (environment, _) = live(&platform).await;
    let id = environment.id;
    let gate = Gate::closed();
    platform
        .engine
        .script_app(&"a".repeat(40).parse().unwrap(), AppScript::answering().wait(&gate));
    let resetting = reset(&platform, id).await;
    gate.reached().await;
    platform.services.write(id, b"new rows");
    server.kill();
    let _next = platform.serve("two");
    gate.open();
    let done = platform.settled(resetting.id).await;
    assert!(matches!(done.state, DeploymentState::Live { .. }), "{done:?}");
    // It was empty already, and what came after that is kept.
    assert_eq!(platform.services.of(id).unwrap().resets, 1);
    assert_eq!(platform.services.read(id), b"new rows");
}

#[tokio::test]
async fn an_environment_that_has_failed_begins_anew_when_it_is_reset() {
    let platform = Platform::new("reset_failed").await;
    let _server = platform.serve("one");
    let commit = platform.push('a');
    platform.engine.script_app(&commit, AppScript::failing("no such table"));
    let (environment, first) = platform.environment(&shop(&platform).await).await;
    let first = platform.settled(first.id).await;
    assert!(matches!(first.state, DeploymentState::Failed { .. }), "{first:?}");

    platform.engine.script_app(&commit, AppScript::answering());
    let begun = reset(&platform, environment.id).await;
    // What never answered is not kept, so it is built anew.
    assert_eq!((begun.trigger, begun.kind), (Trigger::Rebuild, DeploymentKind::BrandNew));
    assert_eq!(reset(&platform, environment.id).await.id, begun.id);
    let done = platform.settled(begun.id).await;
    assert!(matches!(done.state, DeploymentState::Live { .. }), "{done:?}");
    assert_eq!(platform.services.of(environment.id).unwrap().resets, 1);
}

#[tokio::test]
async fn a_reset_whose_app_does_not_start_leaves_the_environment_failed() {
    let platform = Platform::new("reset_fails").await;
    let _server = platform.serve("one");
    let (environment, first) = live(&platform).await;
    platform.engine.script_app(&first.commit.unwrap(), AppScript::failing("no such table"));
    let done = platform.settled(reset(&platform, environment.id).await.id).await;
    assert!(matches!(done.state, DeploymentState::Failed { .. }), "{done:?}");
    let now = platform.environment_now(environment.id).await;
    assert_eq!(now.state, EnvironmentState::Failed { reason: "no such table".to_owned() });
    assert_eq!(now.live_deployment, None);
}

#[tokio::test]
async fn a_reset_that_is_called_off_in_time_changes_nothing() {
    let platform = Platform::new("reset_cancelled").await;
    let server = platform.serve("one");
    let (environment, first) = live(&platform).await;
    let id = environment.id;
    platform.services.write(id, b"orders");
    server.stop().await;
    let resetting = reset(&platform, id).await;
    cancel_deployment(&platform.control, &platform.owner, resetting.id).await.unwrap();
    let _server = platform.serve("two");

    let now = platform.environment_now(id).await;
    assert_eq!((now.state, now.live_deployment), (EnvironmentState::Active, Some(first.id)));
    assert_eq!(platform.services.read(id), b"orders");
}

#[tokio::test]
async fn an_app_that_cannot_be_stopped_is_not_emptied_under() {
    let platform = Platform::new("reset_stop").await;
    let _server = platform.serve("one");
    let (environment, _) = live(&platform).await;
    let id = environment.id;
    platform.services.write(id, b"orders");
    platform.engine.fail_next(Operation::Stop, Fault::Internal, 1);
    let done = platform.settled(reset(&platform, id).await.id).await;
    assert!(matches!(done.state, DeploymentState::Live { .. }), "{done:?}");
    assert_eq!(platform.services.of(id).unwrap().resets, 1);
}

#[tokio::test]
async fn where_there_is_nothing_to_empty_nothing_is_reset() {
    let platform = Platform::new("reset_refused").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let _server = platform.serve("one");
    platform.push('a');
    let project = platform.project("Plain").await;
    let (environment, deployment) = platform.environment(&project).await;
    platform.settled(deployment.id).await;
    let outcome = reset_environment(control, owner, environment.id, Expected::Any).await;
    let (code, message) = refused(outcome);
    assert_eq!(code, "no_services");
    assert_eq!(message, "the environment has no database, Redis or bucket that could be emptied");
}
