//! What runs is made what is wanted.

use std::time::Duration;

use secrecy::SecretString;
use windlass_control::Settings;
use windlass_domain::{DeploymentState, EnvironmentState, Id, LogId};
use windlass_engine::{
    AppState, Engine as _,
    fake::{AppScript, Operation},
};

use crate::support::{Platform, settings};

#[tokio::test]
async fn what_nobody_tells_of_is_looked_for_as_often_as_it_is_set() {
    let platform = Platform::new("by_itself").await;
    let poll = Duration::from_hours(1);
    let _server = platform.serve_with("one", Settings { poll, ..settings() });
    let looks = || platform.engine.calls(Operation::KeptBuilds);
    platform.until("it has looked three times", || async { (3 <= looks()).then_some(()) }).await;
}

#[tokio::test]
async fn a_live_app_that_keeps_crashing_fails_with_its_last_words() {
    let platform = Platform::new("crashes").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    let reason = "it ended with 3: out of luck".to_owned();
    platform.engine.set_app(deployment.id, AppState::Crashed { reason: reason.clone() });
    let failed = platform
        .until("the deployment fails", || async {
            let deployment = platform.deployment(deployment.id).await;
            matches!(deployment.state, DeploymentState::Failed { .. }).then_some(deployment)
        })
        .await;
    let DeploymentState::Failed { reason: told, .. } = failed.state else { unreachable!() };
    assert_eq!(told, reason);
    let environment = platform.environment_now(environment.id).await;
    assert_eq!(environment.state, EnvironmentState::Failed { reason });
    assert_eq!(environment.live_deployment, None);
    let log = platform.log(LogId::App(environment.id)).await;
    assert!(log.iter().any(|line| line.contains("out of luck")), "{log:?}");
}

#[tokio::test]
async fn after_a_restart_of_the_machine_live_apps_are_started_again() {
    let platform = Platform::new("revived").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let server = platform.serve("one");
    platform.settled(deployment.id).await;
    server.stop().await;
    platform.engine.restart_machine();
    assert!(platform.engine.running(deployment.id).is_none());
    let _server = platform.serve("one");
    platform.until("the app runs again", || async { platform.engine.running(deployment.id) }).await;
    let deployment = platform.deployment(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
}

#[tokio::test]
async fn an_app_that_is_started_again_goes_on_in_its_log() {
    let platform = Platform::new("goes_on").await;
    let commit = platform.push('a');
    platform.engine.script_app(&commit, AppScript::answering().print("up"));
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    for times in [1, 2, 3] {
        platform
            .until("the app says that it is up", || async {
                let log = platform.log(LogId::App(environment.id)).await;
                (log.iter().filter(|line| *line == "up").count() == times).then_some(())
            })
            .await;
        platform.engine.restart_machine();
    }
}

#[tokio::test]
async fn an_app_whose_build_is_lost_fails_instead_of_being_tried_for_ever() {
    let platform = Platform::new("lost_disk").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, deployment) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    platform.engine.lose_disk();
    platform
        .until("the environment fails", || async {
            let environment = platform.environment_now(environment.id).await;
            matches!(environment.state, EnvironmentState::Failed { .. }).then_some(())
        })
        .await;
}

#[tokio::test]
async fn an_app_that_nothing_wants_is_ended() {
    let platform = Platform::new("unwanted").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let server = platform.serve("one");
    platform.settled(deployment.id).await;
    server.stop().await;

    let known = platform.engine.app_request(deployment.id).unwrap();
    let stray = windlass_engine::AppRequest {
        deployment: Id::from_uuid(uuid::Uuid::from_u128(7)),
        environment: Id::from_uuid(uuid::Uuid::from_u128(8)),
        variables: vec![windlass_engine::Variable {
            key: "A".parse().unwrap(),
            value: SecretString::from("b"),
        }],
        start_timeout: Duration::from_secs(1),
        ..known
    };
    platform.engine.start(&stray).await.unwrap();
    let _server = platform.serve("one");
    platform
        .until("the stray app is ended", || async {
            platform.engine.app_request(stray.deployment).is_none().then_some(())
        })
        .await;
    assert!(platform.engine.running(deployment.id).is_some());
}

#[tokio::test]
async fn only_builds_that_can_be_gone_back_to_are_kept() {
    let platform = Platform::new("kept").await;
    platform.push('a');
    let project = platform.project("Shop").await;
    let (environment, first) = platform.environment(&project).await;
    let _server = platform.serve("one");
    platform.settled(first.id).await;
    let mut builds = vec![first.build_id];
    for digit in ['b', 'c', 'd'] {
        platform.push(digit);
        let deployment = platform.settled(platform.rebuild(environment.id).await.id).await;
        builds.push(deployment.build_id);
    }
    platform
        .until("old builds are removed", || async {
            let kept: Vec<bool> =
                builds.iter().map(|build| platform.engine.is_kept(*build)).collect();
            (kept == [false, false, true, true]).then_some(())
        })
        .await;
    let refused =
        windlass_control::rollback_deployment(&platform.control, &platform.owner, first.id).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, windlass_control::ControlError::Conflict { code: "build_collected", .. }),
        "{refused:?}",
    );
}
