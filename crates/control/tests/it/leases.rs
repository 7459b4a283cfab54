//! Who holds a job, and that nobody else writes for it.

use std::time::Duration;

use windlass_domain::{DeploymentState, WorkerId};
use windlass_engine::fake::{BuildScript, Gate};
use windlass_storage::{Lanes, LeaseRequest, Store as _};

use crate::support::Platform;

#[tokio::test]
async fn a_server_that_lost_its_lease_leaves_the_job_to_its_successor() {
    let platform = Platform::new("lost").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let project = platform.project("Shop").await;
    let (_, deployment) = platform.environment(&project).await;
    let slow = platform.serve("slow");
    gate.reached().await;

    // Somebody takes the job over, as after a heartbeat that did not come through.
    let mut uow = platform.store.write().await.unwrap();
    let now = windlass_domain::Clock::now(&windlass_domain::SystemClock);
    let later = now + chrono::TimeDelta::days(1);
    let request = LeaseRequest {
        worker: WorkerId::new("successor".to_owned()),
        now: later,
        until: later,
        slots_per_organization: 9,
        lanes: Lanes::Any,
    };
    let taken = uow.jobs().lease_next(&request).await.unwrap().expect("the lease has expired");
    uow.commit().await.unwrap();
    gate.open();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = platform.deployment(deployment.id).await;
    assert_eq!(held.state, DeploymentState::Building, "the slow server has written");

    let mut uow = platform.store.write().await.unwrap();
    let lease = windlass_domain::Lease { job_id: taken.id, fence: taken.fence };
    let job = uow.jobs().find_leased_for_update(lease).await.unwrap().unwrap();
    let now = windlass_domain::Clock::now(&windlass_domain::SystemClock);
    uow.jobs().update(&job.release(now).unwrap()).await.unwrap();
    uow.commit().await.unwrap();
    let live = platform.settled(deployment.id).await;
    assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");
    slow.stop().await;
}

#[tokio::test]
async fn deployments_of_many_environments_go_on_side_by_side_within_the_slots() {
    let platform = Platform::new("slots").await;
    let commit = platform.push('a');
    let gate = Gate::closed();
    platform.engine.script_build(&commit, BuildScript::built().wait(&gate));
    let mut deployments = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        let project = platform.project(name).await;
        deployments.push(platform.environment(&project).await.1);
    }
    let _servers = [platform.serve("a"), platform.serve("b")];
    let building = || async {
        let mut count = 0;
        for deployment in &deployments {
            let now = platform.deployment(deployment.id).await;
            count += usize::from(now.state == DeploymentState::Building);
        }
        count
    };
    platform.until("three builds run", || async { (building().await == 3).then_some(()) }).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(building().await, 3);
    gate.open();
    for deployment in &deployments {
        let live = platform.settled(deployment.id).await;
        assert!(matches!(live.state, DeploymentState::Live { .. }), "{live:?}");
    }
}
