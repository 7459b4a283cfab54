//! From a queued deployment to a live one, whatever happens on the way.

use windlass_control::{RouteTarget, UsagePeriod, get_usage, rollback_deployment};
use windlass_domain::{
    BuildEnd, BuildResult, BuildState, DeploymentKind, DeploymentState, EnvironmentState, LogId,
};
use windlass_engine::{
    AppState,
    fake::{AppScript, BuildScript, Fault, Gate, Operation},
};

use crate::support::Platform;

#[tokio::test]
async fn a_deployment_goes_live_with_its_log_and_its_bill() {
    let platform = Platform::new("live").await;
    let commit = platform.push('a');
    platform.engine.script_build(&commit, BuildScript::built().print("compiling").print("done"));
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");

    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    assert_eq!(deployment.commit, Some(commit));
    let log = platform.log(LogId::Build(deployment.build_id)).await;
    assert_eq!(&log[1..3], ["compiling", "done"]);
    assert!(log[3].starts_with("Build succeeded"), "{log:?}");

    let usage = get_usage(&platform.control, &platform.owner, UsagePeriod::default()).await;
    let usage = usage.unwrap();
    assert_eq!((usage.billable_build_count, usage.billable_cpu_micros), (1, 1_000_000));
    let now = platform.environment_now(environment.id).await;
    assert_eq!((now.state, now.live_deployment), (EnvironmentState::Active, Some(deployment.id)));
    let running = platform.engine.running(deployment.id).unwrap();
    platform
        .until("requests go to the app", || async {
            let route = platform.routes.get(&environment.host);
            (route == Some(RouteTarget::App(running.addresses.clone()))).then_some(())
        })
        .await;
}

#[tokio::test]
async fn the_next_deployment_takes_over_and_the_old_app_is_ended() {
    let platform = Platform::new("takes_over").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;

    platform.push('b');
    let second = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert!(matches!(second.state, DeploymentState::Live { .. }), "{second:?}");
    let first = platform.deployment(first.id).await;
    assert!(matches!(first.state, DeploymentState::Superseded { .. }), "{first:?}");
    platform
        .until("the old app is ended", || async {
            platform.engine.app_request(first.id).is_none().then_some(())
        })
        .await;

    let back = rollback_deployment(&platform.control, &platform.owner, first.id).await.unwrap();
    let back = platform.settled(back.id).await;
    assert!(matches!(back.state, DeploymentState::Live { .. }), "{back:?}");
    assert_eq!((back.build_id, platform.engine.runs(first.build_id)), (first.build_id, 1));
}

#[tokio::test]
async fn a_server_that_is_killed_anywhere_loses_and_doubles_nothing() {
    let platform = Platform::new("killed").await;
    let commit = platform.push('a');
    let (building, starting) = (Gate::closed(), Gate::closed());
    let build = BuildScript::built().print("one").wait(&building).print("two");
    platform.engine.script_build(&commit, build);
    platform.engine.script_app(&commit, AppScript::answering().print("up").wait(&starting));
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;

    let server = platform.serve("one");
    building.reached().await;
    server.kill();
    let server = platform.serve("one");
    building.open();
    starting.reached().await;
    server.kill();
    let server = platform.serve("one");
    starting.open();
    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    let said = || async {
        let log = platform.log(LogId::App(environment.id)).await;
        log.iter().any(|line| line == "up").then_some(())
    };
    platform.until("the app's line is stored", said).await;
    server.kill();

    let printed: Vec<String> = platform
        .log(LogId::Build(deployment.build_id))
        .await
        .into_iter()
        .filter(|line| !line.starts_with("Build"))
        .collect();
    assert_eq!(printed, ["one", "two"]);
    assert_eq!(platform.engine.runs(deployment.build_id), 1);
    let usage = get_usage(&platform.control, &platform.owner, UsagePeriod::default()).await;
    assert_eq!(usage.unwrap().build_count, 1);
    let log = platform.log(LogId::App(environment.id)).await;
    assert_eq!(log.iter().filter(|line| *line == "up").count(), 1, "{log:?}");
}

#[tokio::test]
async fn a_stopped_server_gives_its_work_back_at_once() {
    let platform = Platform::new("given_back").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let server = platform.serve("one");
    gate.reached().await;
    server.stop().await;
    gate.open();
    // Another name: it cannot take the old one's leases for its own.
    let _server = platform.serve("two");
    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
}

#[tokio::test]
async fn a_build_that_fails_fails_the_deployment_and_is_billed() {
    let platform = Platform::new("fails").await;
    let commit = platform.push('a');
    let script = BuildScript::ending(BuildResult::BuildFailed, "`make` ended with 2");
    platform.engine.script_build(&commit, script);
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    let deployment = platform.settled(deployment.id).await;
    let DeploymentState::Failed { reason, .. } = &deployment.state else {
        panic!("{deployment:?}")
    };
    assert_eq!(reason, "`make` ended with 2");
    let environment = platform.environment_now(environment.id).await;
    assert!(matches!(environment.state, EnvironmentState::Failed { .. }), "{environment:?}");
    let usage = get_usage(&platform.control, &platform.owner, UsagePeriod::default()).await;
    assert_eq!(usage.unwrap().billable_build_count, 1);
}

#[tokio::test]
async fn an_environment_is_brand_new_until_something_has_been_live_in_it() {
    let platform = Platform::new("brand_new").await;
    let commit = platform.push('a');
    platform.engine.script_build(&commit, BuildScript::ending(BuildResult::BuildFailed, "no"));
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    let first = platform.settled(first.id).await;
    assert!(matches!(first.state, DeploymentState::Failed { .. }), "{first:?}");

    platform.push('b');
    let second = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert!(matches!(second.state, DeploymentState::Live { .. }), "{second:?}");
    platform.engine.set_app(second.id, AppState::Crashed { reason: "out of luck".to_owned() });
    platform
        .until("the environment fails", || async {
            let environment = platform.environment_now(environment.id).await;
            matches!(environment.state, EnvironmentState::Failed { .. }).then_some(())
        })
        .await;
    let third = platform.rebuild(environment.id).await;
    assert_eq!(
        [first.kind, second.kind, third.kind],
        [DeploymentKind::BrandNew, DeploymentKind::BrandNew, DeploymentKind::Incremental],
    );
}

#[tokio::test]
async fn a_build_lost_through_our_fault_is_repeated_and_not_billed() {
    let platform = Platform::new("repeated").await;
    let commit = platform.push('a');
    let script = BuildScript::ending(BuildResult::InternalError, "the machine restarted");
    platform.engine.script_build(&commit, script);
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Failed { .. }), "{deployment:?}");
    let last = platform.build_of(&deployment).await;
    assert!(last.restart_of.is_some());
    let usage = get_usage(&platform.control, &platform.owner, UsagePeriod::default()).await;
    let usage = usage.unwrap();
    assert_eq!((usage.build_count, usage.billable_build_count), (3, 0));
}

#[tokio::test]
async fn an_app_that_does_not_start_leaves_the_old_one_alone() {
    let platform = Platform::new("not_started").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;
    let commit = platform.push('b');
    platform.engine.script_app(&commit, AppScript::failing("it ended with 1"));
    let second = platform.settled(platform.rebuild(environment.id).await.id).await;
    let DeploymentState::Failed { reason, .. } = &second.state else { panic!("{second:?}") };
    assert_eq!(reason, "it ended with 1");
    let environment = platform.environment_now(environment.id).await;
    assert_eq!(
        (environment.state, environment.live_deployment),
        (EnvironmentState::Active, Some(first.id))
    );
    assert!(platform.engine.running(first.id).is_some());
}

#[tokio::test]
async fn what_is_unavailable_is_tried_again_and_given_up_in_the_end() {
    let platform = Platform::new("unavailable").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    platform.engine.fail_next(Operation::Resolve, Fault::Unavailable, 2);
    let _server = platform.serve("one");
    let first = platform.settled(first.id).await;
    assert!(matches!(first.state, DeploymentState::Live { .. }), "{first:?}");

    platform.engine.fail_next(Operation::Resolve, Fault::Unavailable, 3);
    let second = platform.settled(platform.rebuild(environment.id).await.id).await;
    let DeploymentState::Failed { reason, .. } = &second.state else { panic!("{second:?}") };
    assert_eq!(reason, "the test makes it unavailable");
    let build = platform.build_of(&second).await;
    let BuildState::Ended(BuildEnd { started_at: None, .. }) = build.state else {
        panic!("{build:?}")
    };
}

#[tokio::test]
async fn a_fault_of_the_engine_is_not_shown_to_tenants() {
    let platform = Platform::new("fault").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    platform.engine.fail_next(Operation::Resolve, Fault::Internal, 3);
    let _server = platform.serve("one");
    let deployment = platform.settled(deployment.id).await;
    let DeploymentState::Failed { reason, .. } = &deployment.state else {
        panic!("{deployment:?}")
    };
    assert!(!reason.contains("fault of the test"), "{reason}");
}

#[tokio::test]
async fn an_engine_that_cannot_tell_what_runs_fails_a_deployment_instead_of_holding_it_for_ever() {
    let platform = Platform::new("blind").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    platform.engine.fail_next(Operation::Observe, Fault::Unavailable, 10_000);
    let _server = platform.serve("one");
    let deployment = platform.settled(deployment.id).await;
    let DeploymentState::Failed { reason, .. } = &deployment.state else {
        panic!("{deployment:?}")
    };
    assert_eq!(reason, "the test makes it unavailable");
}
