//! What the host of a source is told of deployments.

use std::sync::Arc;

use windlass_control::{Presence, Report, ReportedState, create_environment, destroy_environment};
use windlass_domain::{Deployment, DeploymentState, Environment, JobKind, ProjectSettings};
use windlass_engine::fake::{BuildScript, Gate};
use windlass_storage::{Lanes, LeaseRequest, Store as _};

use crate::{
    source_host::FakeHost,
    support::{FX, Platform, main, new_project},
};

const SOURCE: &str = "https://github.com/octo/shop.git";

async fn platform(test: &str) -> (Platform, Arc<FakeHost>) {
    let host = Arc::new(FakeHost::default());
    (Platform::with_sources(test, host.hosting(&[])).await, host)
}

/// An environment of a repository at the host, whose build waits behind a gate.
async fn begun(platform: &Platform) -> (Environment, Deployment, Gate) {
    let (control, owner) = (&platform.control, &platform.owner);
    let source = SOURCE.parse().unwrap();
    let commit = "a".repeat(40).parse().unwrap();
    let gate = Gate::closed();
    platform.engine.push(&source, &main(), &commit);
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let new = windlass_control::CreateProject {
        git_url: source,
        ..new_project("Shop", ProjectSettings::default())
    };
    let project = windlass_control::create_project(control, owner, new).await.unwrap();
    let made = create_environment(control, owner, project.id, main()).await.unwrap();
    (made.environment, made.latest_deployment.unwrap(), gate)
}

fn states(reports: &[Report]) -> Vec<ReportedState> {
    reports.iter().map(|report| report.state).collect()
}

/// Waits until the last word about a deployment is this one.
async fn told(
    platform: &Platform,
    host: &FakeHost,
    id: windlass_domain::DeploymentId,
    is: ReportedState,
) {
    platform
        .until("it is told", || async {
            (host.reports(id).last().map(|report| report.state) == Some(is)).then_some(())
        })
        .await;
}

/// Waits until nothing is left to be reported.
async fn idle(platform: &Platform) {
    platform
        .until("nothing waits", || async {
            let mut uow = platform.store.read().await.unwrap();
            let depth = uow.jobs().depth(FX.clock.now()).await.unwrap();
            (depth.queued + depth.leased == 0).then_some(())
        })
        .await;
}

#[tokio::test]
async fn each_state_is_told_once() {
    let (platform, host) = platform("reports_states").await;
    let (environment, first, gate) = begun(&platform).await;
    let _server = platform.serve("one");
    gate.reached().await;
    told(&platform, &host, first.id, ReportedState::Building).await;
    gate.open();
    platform.settled(first.id).await;
    told(&platform, &host, first.id, ReportedState::Live).await;
    idle(&platform).await;
    let mut seen = states(&host.reports(first.id));
    assert_eq!(
        seen.iter().filter(|state| **state == ReportedState::Building).count(),
        1,
        "{seen:?}"
    );
    assert_eq!(seen.iter().filter(|state| **state == ReportedState::Live).count(), 1, "{seen:?}");
    // The app may be up before it is told that it is being started.
    seen.retain(|state| *state != ReportedState::Starting);
    assert_eq!(seen, [ReportedState::Building, ReportedState::Live]);
    let report = host.reports(first.id).pop().unwrap();
    assert!(
        report.marks_commit && report.is_newest && report.presence == Presence::App,
        "{report:?}"
    );
    assert_eq!(report.repository.as_str(), "octo/shop");

    let second = platform.rebuild(environment.id).await;
    platform.settled(second.id).await;
    told(&platform, &host, first.id, ReportedState::Replaced).await;
    told(&platform, &host, second.id, ReportedState::Live).await;
    let report = host.reports(first.id).pop().unwrap();
    assert!(!report.marks_commit && !report.is_newest, "the commit is the second's: {report:?}");

    let expected = windlass_control::Expected::default();
    destroy_environment(&platform.control, &platform.owner, environment.id, expected)
        .await
        .unwrap();
    platform
        .until("it is told to be gone", || async {
            host.reports(second.id)
                .last()
                .filter(|report| report.presence == Presence::Gone)
                .map(drop)
        })
        .await;
}

#[tokio::test]
async fn a_report_survives_a_server_that_is_killed() {
    let (platform, host) = platform("reports_killed").await;
    let (_, deployment, gate) = begun(&platform).await;
    let server = platform.serve("one");
    gate.reached().await;
    told(&platform, &host, deployment.id, ReportedState::Building).await;
    idle_but_for_deployment(&platform).await;
    server.kill();
    gate.open();
    let _server = platform.serve("one");
    platform.settled(deployment.id).await;
    told(&platform, &host, deployment.id, ReportedState::Live).await;
}

/// Waits until only the deployment itself is at work.
async fn idle_but_for_deployment(platform: &Platform) {
    platform
        .until("the report is done", || async {
            let mut uow = platform.store.read().await.unwrap();
            let depth = uow.jobs().depth(FX.clock.now()).await.unwrap();
            (depth.queued + depth.leased == 1).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_host_that_hears_nothing_changes_nothing() {
    let (platform, host) = platform("reports_deaf").await;
    host.turn_deaf();
    let (_, deployment, gate) = begun(&platform).await;
    gate.open();
    let _server = platform.serve("one");
    let deployment = platform.settled(deployment.id).await;
    assert!(matches!(deployment.state, DeploymentState::Live { .. }), "{deployment:?}");
    idle(&platform).await;
    assert!(host.reports(deployment.id).is_empty());
    let mut uow = platform.store.read().await.unwrap();
    assert!(0 < uow.jobs().depth(FX.clock.now()).await.unwrap().dead, "it is given up");
}

#[tokio::test]
async fn reports_wait_for_no_deployment_and_several_are_one() {
    let (platform, _) = platform("reports_lane").await;
    let (_, deployment, gate) = begun(&platform).await;
    let server = platform.serve("one");
    gate.reached().await;
    idle_but_for_deployment(&platform).await;
    server.stop().await;
    // Two changes while nobody works.
    let (control, owner) = (&platform.control, &platform.owner);
    windlass_control::cancel_deployment(control, owner, deployment.id).await.unwrap();
    let mut uow = platform.store.write().await.unwrap();
    let kind = JobKind::ReportDeployment { deployment_id: deployment.id };
    let waiting = uow.jobs().find_queued_for_update(kind).await.unwrap().expect("one waits");
    assert_eq!(waiting.lane, None);
    let now = FX.clock.now();
    let request = LeaseRequest {
        worker: windlass_domain::WorkerId::new("errands".to_owned()),
        now,
        until: now,
        slots_per_organization: 9,
        lanes: Lanes::Without,
    };
    assert_eq!(uow.jobs().lease_next(&request).await.unwrap().map(|job| job.id), Some(waiting.id));
}
