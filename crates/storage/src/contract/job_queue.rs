//! Promises about which worker gets which job.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use windlass_domain::{Job, JobState, WorkerId};

use super::world::{World, after_commit_of};
use crate::{LeaseRequest, Store};

pub async fn the_oldest_due_job_comes_first(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    assert_eq!(world.lease("worker").await, None);

    let first = world.job(&organization, None).await;
    world.tick();
    let second = world.job(&organization, None).await;
    let leased = world.lease("worker").await.unwrap();
    assert_eq!(
        leased,
        first
            .lease(
                WorkerId::new("worker".to_owned()),
                world.now() + TimeDelta::seconds(30),
                world.now(),
            )
            .unwrap()
    );
    assert_eq!(world.lease("worker").await.unwrap().id, second.id);
    assert_eq!(world.lease("worker").await, None);
}

pub async fn a_job_is_not_leased_before_it_is_due_by_a_fraction_of_a_second(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    // Times with and without fractions have to compare, however they are stored.
    let due = world.now() + TimeDelta::milliseconds(500);
    let job = world.job_in(&organization, JobState::Queued { run_at: due, last_error: None }).await;
    assert_eq!(world.lease("worker").await, None);
    world.clock.advance(TimeDelta::milliseconds(499));
    assert_eq!(world.lease("worker").await, None);
    world.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(world.lease("worker").await.unwrap().id, job.id);
}

pub async fn an_expired_lease_is_taken_over_with_a_higher_fence(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    world.job(&organization, Some(environment.id)).await;
    let later = world.job(&organization, Some(environment.id)).await;
    let lost = world.lease("silent").await.unwrap();
    world.clock.advance(TimeDelta::milliseconds(29_999));
    assert_eq!(world.lease("lively").await, None);

    world.clock.advance(TimeDelta::milliseconds(1));
    let taken = world.lease("lively").await.unwrap();
    assert_eq!((taken.id, taken.fence, taken.attempts), (lost.id, lost.fence + 1, 2));
    world.update_job(&taken.succeed(world.now()).unwrap()).await;
    assert_eq!(world.lease("lively").await.unwrap().id, later.id);
}

pub async fn an_expired_lease_is_taken_over_after_the_last_attempt_too(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let worker = WorkerId::new("silent".to_owned());
    let state = JobState::Leased { worker, until: world.now() };
    let job = Job { attempts: 3, fence: 3, state, ..world.new_job(&organization, None) };
    world.insert_job(&job).await;
    let taken = world.lease("lively").await.unwrap();
    assert_eq!((taken.attempts, taken.max_attempts, taken.fence), (4, 3, 4));
}

pub async fn a_lane_runs_one_job_after_another(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let elsewhere = world.environment(&project, "elsewhere").await;
    let waits_to_try_again = JobState::Queued {
        run_at: world.now() + TimeDelta::seconds(5),
        last_error: Some("the engine is away".to_owned()),
    };
    let first =
        Job { state: waits_to_try_again, ..world.new_job(&organization, Some(environment.id)) };
    world.insert_job(&first).await;
    let second = world.job(&organization, Some(environment.id)).await;
    let other_lane = world.job(&organization, Some(elsewhere.id)).await;

    assert_eq!(world.lease("worker").await.unwrap().id, other_lane.id);
    assert_eq!(world.lease("worker").await, None);
    world.clock.advance(TimeDelta::seconds(5));
    let leased = world.lease("worker").await.unwrap();
    assert_eq!(leased.id, first.id);
    assert_eq!(world.lease("worker").await, None);
    world.update_job(&leased.succeed(world.now()).unwrap()).await;
    assert_eq!(world.lease("worker").await.unwrap().id, second.id);
}

pub async fn an_organization_gets_no_more_than_its_slots(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    for _ in 0..4 {
        world.job(&organization, None).await;
    }
    let first = world.lease("one").await.unwrap();
    world.lease("other").await.unwrap();
    assert_eq!(world.lease("one").await, None);
    world.update_job(&first.release(world.now()).unwrap()).await;
    assert!(world.lease("other").await.is_some());
    assert_eq!(world.lease("other").await, None);

    let no_slots = LeaseRequest { slots_per_organization: 0, ..world.lease_request("one") };
    assert_eq!(world.lease_by(&no_slots).await, None);
}

pub async fn expired_leases_beyond_the_slots_are_still_taken_over(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let worker = WorkerId::new("silent".to_owned());
    for _ in 0..5 {
        let state = JobState::Leased { worker: worker.clone(), until: world.now() };
        world.job_in(&organization, state).await;
    }
    world.job(&organization, None).await;
    for _ in 0..3 {
        let one = world.lease("lively").await.unwrap();
        let other = world.lease("lively").await.unwrap();
        assert_eq!(world.lease("lively").await, None);
        for job in [one, other] {
            world.update_job(&job.succeed(world.now()).unwrap()).await;
        }
    }
    assert_eq!(world.lease("lively").await, None);
}

pub async fn the_organization_with_the_fewest_leased_jobs_comes_first(store: &dyn Store) {
    let world = World::new(store);
    let (busy, quiet) = (world.organization().await, world.organization().await);
    for _ in 0..3 {
        world.job(&busy, None).await;
        world.tick();
    }
    world.job(&quiet, None).await;
    let order: Vec<_> = [
        world.lease("worker").await.unwrap().organization_id,
        world.lease("worker").await.unwrap().organization_id,
        world.lease("worker").await.unwrap().organization_id,
    ]
    .into();
    assert_eq!(order, [busy.id, quiet.id, busy.id]);
}

/// Leases with two units of work open at once; the second must wait.
async fn lease_twice(world: &World<'_>) -> (Option<Job>, Option<Job>) {
    let mut first = world.write().await;
    let one = first.jobs().lease_next(&world.lease_request("one")).await.unwrap();
    let second = world.lease("other");
    (one, after_commit_of(first, second).await)
}

pub async fn two_workers_never_lease_the_same_job(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let job = world.job(&organization, None).await;
    let (one, other) = lease_twice(&world).await;
    assert_eq!((one.unwrap().id, other), (job.id, None));
}

pub async fn two_workers_never_lease_the_same_lane(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let first = world.job(&organization, Some(environment.id)).await;
    world.job(&organization, Some(environment.id)).await;
    let elsewhere = world.job(&organization, None).await;
    let (one, other) = lease_twice(&world).await;
    assert_eq!((one.unwrap().id, other.unwrap().id), (first.id, elsewhere.id));
}

pub async fn two_workers_never_lease_more_than_the_slots(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    for _ in 0..3 {
        world.job(&organization, None).await;
    }
    assert!(world.lease("worker").await.is_some());
    let (one, other) = lease_twice(&world).await;
    assert!(one.is_some());
    assert_eq!(other, None);
}

pub async fn a_job_that_is_being_cancelled_is_not_leased(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    world.job(&organization, Some(environment.id)).await;
    let later = world.job(&organization, Some(environment.id)).await;

    let mut push = world.write().await;
    let mut waiting = push.jobs().list_unfinished_for_update(environment.id).await.unwrap();
    let cancelled = waiting.remove(0).cancel("superseded", world.now()).unwrap();
    push.jobs().update(&cancelled).await.unwrap();
    let leased = after_commit_of(push, world.lease("worker")).await;
    assert_eq!(leased.unwrap().id, later.id);
}

pub async fn many_workers_share_the_jobs_out(store: &dyn Store) {
    let world = World::new(store);
    let mut lanes = Vec::new();
    for number in 0..4 {
        let (organization, _, environment) = world.tenant(&format!("shop-{number}")).await;
        for _ in 0..5 {
            world.job(&organization, Some(environment.id)).await;
        }
        lanes.push(environment.id);
    }

    let work = async |worker: &str| {
        let mut done = Vec::new();
        while let Some(job) = world.lease(worker).await {
            done.push((job.lane, job.id));
            world.update_job(&job.succeed(world.now()).unwrap()).await;
        }
        done
    };
    let workers: Vec<String> = (0..6).map(|number| format!("worker {number}")).collect();
    let done = join_all(workers.iter().map(|worker| work(worker))).await.concat();
    // A worker stops when all lanes are busy, but the last one to stop has seen an empty queue.
    let distinct: HashSet<_> = done.iter().collect();
    assert_eq!((done.len(), distinct.len()), (20, 20));
    let depth = world.read().await.jobs().depth(world.now()).await.unwrap();
    assert_eq!((depth.queued, depth.leased), (0, 0));
}
