//! What an engine promises about apps.
#![expect(clippy::missing_panics_doc, reason = "a broken promise is a panic")]

use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use windlass_domain::{BuildId, DeploymentId};

use super::{
    AppPlan, Harness,
    support::{app_request, built, check_lines, collect, eventually, fx, observed, patiently},
};
use crate::{AppRequest, AppState, EngineError, RunningApp};

const GRACE: Duration = Duration::from_secs(1);

/// An app that was started has addresses, and is observed as running.
pub async fn an_app_answers_and_is_observed(harness: &dyn Harness) {
    harness.engine().check().await.expect("the engine can work");
    let app = app_request(&built(harness, AppPlan::Answers).await);
    let running = start(harness, &app).await;
    assert!(!running.addresses.is_empty());
    let seen = observed(harness, app.deployment).await.expect("it is observed");
    assert_eq!((seen.environment, seen.build), (app.environment, app.build));
    assert_eq!(seen.state, AppState::Running(running));
    stop(harness, app.deployment).await;
}

/// What was never built cannot be started.
pub async fn an_app_needs_its_build(harness: &dyn Harness) {
    let mut app = app_request(&built(harness, AppPlan::Answers).await);
    app.build = BuildId::generate(fx());
    let refusal = patiently(harness.engine().start(&app)).await;
    assert!(matches!(refusal, Err(EngineError::Refused(_))), "{refusal:?}");
    assert_eq!(observed(harness, app.deployment).await, None);
}

/// Where [`Engine::start`](crate::Engine::start) fails, nothing is left that runs.
pub async fn an_app_that_does_not_become_healthy_is_stopped_again(harness: &dyn Harness) {
    let app = app_request(&built(harness, AppPlan::Ends).await);
    let refusal = patiently(harness.engine().start(&app)).await;
    assert!(
        matches!(&refusal, Err(EngineError::Refused(message)) if !message.is_empty()),
        "{refusal:?}"
    );
    until_gone(harness, app.deployment).await;
}

/// Deployments of the same build do not disturb each other.
pub async fn apps_stand_beside_each_other(harness: &dyn Harness) {
    let build = built(harness, AppPlan::Answers).await;
    let (old, new) = (app_request(&build), app_request(&build));
    let at_old = start(harness, &old).await;
    let at_new = start(harness, &new).await;
    assert!(at_old.addresses.iter().all(|address| !at_new.addresses.contains(address)));
    stop(harness, old.deployment).await;
    until_gone(harness, old.deployment).await;
    let seen = observed(harness, new.deployment).await.expect("it was not stopped");
    assert_eq!(seen.state, AppState::Running(at_new));
    stop(harness, new.deployment).await;
}

/// Whoever starts what is starting or running gets the same app.
pub async fn starting_again_joins(harness: &dyn Harness) {
    let app = app_request(&built(harness, AppPlan::Answers).await);
    let (first, second) = tokio::join!(start(harness, &app), start(harness, &app));
    assert_eq!(first, second);
    assert_eq!(start(harness, &app).await, first, "once it runs, too");
    stop(harness, app.deployment).await;
    until_gone(harness, app.deployment).await;
}

/// [`Engine::stop`](crate::Engine::stop) may come again, and for what was never there.
pub async fn stopping_again_changes_nothing(harness: &dyn Harness) {
    let app = app_request(&built(harness, AppPlan::Answers).await);
    start(harness, &app).await;
    for _ in 0..2 {
        stop(harness, app.deployment).await;
        until_gone(harness, app.deployment).await;
    }
    stop(harness, DeploymentId::generate(fx())).await;
}

/// A follower gets the numbered lines until the app has ended, and nothing of what is not there.
pub async fn following_goes_on_until_the_app_has_ended(harness: &dyn Harness) {
    let engine = harness.engine();
    let app = app_request(&built(harness, AppPlan::Answers).await);
    start(harness, &app).await;
    let (sender, mut receiver) = mpsc::channel(64);
    let follow = async {
        patiently(engine.follow(app.deployment, 0, sender)).await.expect("apps can be followed");
    };
    let read_and_stop = async {
        let mut lines = Vec::new();
        let last = AppPlan::LINES.last().copied();
        while lines.last().map(|line: &crate::EngineLine| line.text.as_str()) != last {
            lines.push(patiently(receiver.recv()).await.expect("its lines come while it runs"));
        }
        let next = lines.len() as u64;
        let (sender, later) = mpsc::channel(64);
        let resume = engine.follow(app.deployment, next, sender);
        let (resumed, later, ()) =
            tokio::join!(resume, collect(later), stop(harness, app.deployment));
        resumed.expect("apps can be followed");
        check_lines(&later, next, &[]);
        lines.extend(collect(receiver).await);
        check_lines(&lines, 0, &AppPlan::LINES);
    };
    tokio::join!(follow, read_and_stop);

    let (sender, receiver) = mpsc::channel(1);
    let absent = engine.follow(DeploymentId::generate(fx()), 0, sender);
    patiently(absent).await.expect("it is no error");
    assert_eq!(collect(receiver).await, []);
}

/// [`Engine::changes`](crate::Engine::changes) tells when an app starts and when it stops.
pub async fn changes_tell_of_every_start_and_stop(harness: &dyn Harness) {
    let app = app_request(&built(harness, AppPlan::Answers).await);
    let mut changes = harness.engine().changes();
    start(harness, &app).await;
    until_told(&mut changes, app.deployment).await;
    let mut changes = harness.engine().changes();
    stop(harness, app.deployment).await;
    until_told(&mut changes, app.deployment).await;
}

async fn until_told(changes: &mut broadcast::Receiver<DeploymentId>, deployment: DeploymentId) {
    while patiently(changes.recv()).await.expect("the engine is there") != deployment {}
}

async fn start(harness: &dyn Harness, app: &AppRequest) -> RunningApp {
    patiently(harness.engine().start(app)).await.expect("the app becomes healthy")
}

async fn stop(harness: &dyn Harness, deployment: DeploymentId) {
    patiently(harness.engine().stop(deployment, GRACE)).await.expect("apps can be stopped");
}

/// Waits until an app is not there any more; it must not run or be about to.
async fn until_gone(harness: &dyn Harness, deployment: DeploymentId) {
    eventually(async || match observed(harness, deployment).await.map(|app| app.state) {
        None => Some(()),
        Some(AppState::Stopped) => None,
        Some(
            state @ (AppState::Starting
            | AppState::Running(_)
            | AppState::Restarting { .. }
            | AppState::Crashed { .. }),
        ) => panic!("a stopped app is {state:?}"),
    })
    .await;
}
