//! Promises about jobs, but for who gets which.

use chrono::TimeDelta;
use windlass_domain::{Backoff, Id, Job, JobKind, JobState, Lease, WorkerId};

use super::world::{World, after_commit_of};
use crate::{QueueDepth, Store};

fn lease_of(job: &Job) -> Lease {
    Lease { job_id: job.id, fence: job.fence }
}

pub async fn a_job_survives_storage_in_every_state(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let queued = world.new_job(&organization, Some(environment.id));
    let kind = JobKind::DestroyEnvironment { environment_id: environment.id };
    let plain = Job { kind, request_id: None, ..world.new_job(&organization, None) };
    let cancelled = world.new_job(&organization, None).cancel("superseded", world.now()).unwrap();
    for job in [&queued, &plain, &cancelled] {
        world.insert_job(job).await;
    }
    let mut uow = world.write().await;
    let waiting = uow.jobs().list_unfinished_for_update(environment.id).await.unwrap();
    assert_eq!(waiting, [queued]);
    drop(uow);

    let first = world.lease("worker").await.unwrap();
    let again = Backoff { first: TimeDelta::seconds(1), most: TimeDelta::seconds(1) };
    let retried = first.clone().fail("the engine is away", again, world.fx()).unwrap();
    world.update_job(&retried).await;
    let mut uow = world.write().await;
    let waiting = uow.jobs().list_unfinished_for_update(environment.id).await.unwrap();
    assert_eq!(waiting, [retried]);
    drop(uow);

    let second = world.lease("worker").await.unwrap();
    assert_eq!((second.id, &second.kind), (plain.id, &plain.kind));
    let mut uow = world.write().await;
    let leased = uow.jobs().find_leased_for_update(lease_of(&second)).await.unwrap().unwrap();
    assert_eq!(leased, second);
    let depth = uow.jobs().depth(world.now()).await.unwrap();
    assert_eq!((depth.queued, depth.leased, depth.dead), (1, 1, 0));
    let dead = Job {
        state: JobState::Dead { at: world.now(), reason: "three times".to_owned() },
        ..leased
    };
    uow.jobs().update(&dead).await.unwrap();
    let depth = uow.jobs().depth(world.now()).await.unwrap();
    assert_eq!((depth.queued, depth.leased, depth.dead), (1, 0, 1));
}

pub async fn a_lost_lease_finds_nothing(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    world.job(&organization, None).await;
    let lost = world.lease("silent").await.unwrap();
    world.clock.advance(TimeDelta::minutes(1));

    // Expired alone is not lost: nobody else has it.
    let mut uow = world.write().await;
    let found = uow.jobs().find_leased_for_update(lease_of(&lost)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&lost));
    drop(uow);

    let taken = world.lease("lively").await.unwrap();
    let mut uow = world.write().await;
    assert_eq!(uow.jobs().find_leased_for_update(lease_of(&lost)).await.unwrap(), None);
    let found = uow.jobs().find_leased_for_update(lease_of(&taken)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&taken));
    let finished = taken.clone().succeed(world.now()).unwrap();
    uow.jobs().update(&finished).await.unwrap();
    assert_eq!(uow.jobs().find_leased_for_update(lease_of(&taken)).await.unwrap(), None);
    let unknown = Lease { job_id: Id::generate(world.fx()), fence: 1 };
    assert_eq!(uow.jobs().find_leased_for_update(unknown).await.unwrap(), None);
}

pub async fn unfinished_jobs_of_a_lane_come_oldest_first(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let elsewhere = world.environment(&project, "elsewhere").await;
    let first = world.job(&organization, Some(environment.id)).await;
    let second = world.job(&organization, Some(environment.id)).await;
    let third = world.job(&organization, Some(environment.id)).await;
    world.job(&organization, Some(elsewhere.id)).await;
    world.job(&organization, None).await;
    let leased = world.lease("worker").await.unwrap();
    assert_eq!(leased.id, first.id);
    let cancelled = second.cancel("superseded", world.now()).unwrap();
    world.update_job(&cancelled).await;

    let mut uow = world.write().await;
    let unfinished = uow.jobs().list_unfinished_for_update(environment.id).await.unwrap();
    assert_eq!(unfinished, [leased, third]);
}

pub async fn leases_of_one_worker_expire_at_its_start(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    world.job(&organization, None).await;
    world.job(&organization, None).await;
    let ours = world.lease("ours").await.unwrap();
    world.lease("theirs").await.unwrap();
    assert_eq!(world.lease("ours").await, None);

    let mut uow = world.write().await;
    let ours_id = WorkerId::new("ours".to_owned());
    assert_eq!(uow.jobs().expire_leases_of(&ours_id, world.now()).await.unwrap(), 1);
    assert_eq!(uow.jobs().expire_leases_of(&ours_id, world.now()).await.unwrap(), 0);
    uow.commit().await.unwrap();
    let again = world.lease("ours").await.unwrap();
    assert_eq!((again.id, again.fence, again.attempts), (ours.id, ours.fence + 1, 2));
    assert_eq!(world.lease("ours").await, None);
}

pub async fn depth_counts_what_waits(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let depth = world.read().await.jobs().depth(world.now()).await.unwrap();
    assert_eq!(depth, QueueDepth::default());

    let at = |seconds| world.now() + TimeDelta::seconds(seconds);
    let worker = WorkerId::new("worker".to_owned());
    let reason = "why".to_owned();
    for state in [
        JobState::Queued { run_at: at(-5), last_error: None },
        JobState::Queued { run_at: at(-9), last_error: None },
        JobState::Queued { run_at: at(5), last_error: None },
        JobState::Leased { worker, until: at(5) },
        JobState::Dead { at: at(-1), reason: reason.clone() },
        JobState::Succeeded { at: at(-1) },
        JobState::Cancelled { at: at(-1), reason },
    ] {
        world.job_in(&organization, state).await;
    }
    let depth = world.read().await.jobs().depth(world.now()).await.unwrap();
    assert_eq!(depth, QueueDepth { queued: 3, leased: 1, dead: 1, oldest_due: Some(at(-9)) });
}

pub async fn the_next_due_time_is_the_earliest_that_is_still_to_come(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let at = |seconds| world.now() + TimeDelta::seconds(seconds);
    let worker = WorkerId::new("worker".to_owned());
    let mut uow = world.read().await;
    assert_eq!(uow.jobs().next_due(at(0)).await.unwrap(), None);

    for state in [
        JobState::Queued { run_at: at(-1), last_error: None },
        JobState::Queued { run_at: at(0), last_error: None },
        JobState::Queued { run_at: at(7), last_error: None },
        JobState::Leased { worker: worker.clone(), until: at(-1) },
        JobState::Leased { worker, until: at(3) },
        JobState::Succeeded { at: at(1) },
    ] {
        world.job_in(&organization, state).await;
    }
    for (after, expected) in [(0, Some(at(3))), (3, Some(at(7))), (7, None)] {
        assert_eq!(uow.jobs().next_due(at(after)).await.unwrap(), expected);
    }
}

pub async fn pruning_keeps_what_people_should_see(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let at = |seconds| world.now() + TimeDelta::seconds(seconds);
    let reason = "why".to_owned();
    for state in [
        JobState::Succeeded { at: at(-2) },
        JobState::Cancelled { at: at(-2), reason: reason.clone() },
        JobState::Succeeded { at: at(0) },
        JobState::Dead { at: at(-2), reason },
        JobState::Queued { run_at: at(-2), last_error: None },
    ] {
        world.job_in(&organization, state).await;
    }
    let mut uow = world.write().await;
    assert_eq!(uow.jobs().prune(at(0)).await.unwrap(), 2);
    assert_eq!(uow.jobs().prune(at(0)).await.unwrap(), 0);
    assert_eq!(uow.jobs().prune(at(1)).await.unwrap(), 1);
    let depth = uow.jobs().depth(at(0)).await.unwrap();
    assert_eq!((depth.queued, depth.dead), (1, 1));
}

pub async fn whoever_locks_a_job_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    world.job(&organization, None).await;
    let job = world.lease("worker").await.unwrap();

    let mut first = world.write().await;
    let found = first.jobs().find_leased_for_update(lease_of(&job)).await.unwrap().unwrap();
    first.jobs().update(&found.succeed(world.tick()).unwrap()).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.jobs().find_leased_for_update(lease_of(&job)).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, None);
}
