//! A deployment can be called off in every state before it is live.

use windlass_control::{ControlError, UsagePeriod, cancel_deployment, get_usage};
use windlass_domain::{BuildEnd, BuildResult, BuildState, DeploymentState, EnvironmentState};
use windlass_engine::fake::{AppScript, BuildScript, Gate};

use crate::support::Platform;

#[tokio::test]
async fn while_it_waits() {
    let platform = Platform::new("waiting").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let cancelled = cancel_deployment(&platform.control, &platform.owner, deployment.id).await;
    assert!(matches!(cancelled.unwrap().state, DeploymentState::Cancelled { .. }));
    let again = cancel_deployment(&platform.control, &platform.owner, deployment.id).await;
    assert!(matches!(again.unwrap().state, DeploymentState::Cancelled { .. }));
    let build = platform.build_of(&deployment).await;
    assert_eq!(build.state.name(), "cancelled");
    let environment = platform.environment_now(environment.id).await;
    assert!(matches!(environment.state, EnvironmentState::Failed { .. }), "{environment:?}");

    let _server = platform.serve("one");
    let next = platform.settled(platform.rebuild(environment.id).await.id).await;
    assert!(matches!(next.state, DeploymentState::Live { .. }), "{next:?}");
    assert_eq!(platform.engine.runs(deployment.build_id), 0);
}

#[tokio::test]
async fn while_it_is_built() {
    let platform = Platform::new("built").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().print("half").wait(&gate));
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    gate.reached().await;
    cancel_deployment(&platform.control, &platform.owner, deployment.id).await.unwrap();
    let build = platform.build_ended(deployment.id).await;
    let BuildState::Ended(BuildEnd { result, usage, .. }) = build.state else {
        panic!("{build:?}")
    };
    assert_eq!((result, usage.cpu_micros), (BuildResult::Cancelled, 1_000_000));
    let usage = get_usage(&platform.control, &platform.owner, UsagePeriod::default()).await;
    assert_eq!(usage.unwrap().billable_build_count, 1);
}

#[tokio::test]
async fn while_it_is_built_by_a_server_that_is_killed_then() {
    let platform = Platform::new("built_killed").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let server = platform.serve("one");
    gate.reached().await;
    server.kill();
    cancel_deployment(&platform.control, &platform.owner, deployment.id).await.unwrap();
    let _server = platform.serve("one");
    let build = platform.build_ended(deployment.id).await;
    assert_eq!(build.state.name(), "cancelled");
}

#[tokio::test]
async fn while_its_app_starts() {
    let platform = Platform::new("starting").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_app(&commit, AppScript::answering().wait(&gate));
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    gate.reached().await;
    cancel_deployment(&platform.control, &platform.owner, deployment.id).await.unwrap();
    platform
        .until("the app is gone", || async {
            platform.engine.app_request(deployment.id).is_none().then_some(())
        })
        .await;
}

#[tokio::test]
async fn but_not_once_it_is_live() {
    let platform = Platform::new("not_live").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    let refused = cancel_deployment(&platform.control, &platform.owner, deployment.id).await;
    assert!(
        matches!(refused, Err(ControlError::Conflict { code: "wrong_state", .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_push_calls_off_what_waits_and_leaves_what_is_built() {
    let platform = Platform::new("push").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    gate.reached().await;
    let second = platform.rebuild(environment.id).await;
    let third = platform.rebuild(environment.id).await;
    let second = platform.deployment(second.id).await;
    let DeploymentState::Cancelled { reason, .. } = &second.state else { panic!("{second:?}") };
    assert_eq!(*reason, format!("superseded by {}", third.id));
    gate.open();
    assert!(matches!(platform.settled(third.id).await.state, DeploymentState::Live { .. }));
    let first = platform.deployment(first.id).await;
    assert!(matches!(first.state, DeploymentState::Superseded { .. }), "{first:?}");
}
