//! Promises about builds.

use windlass_domain::{Build, BuildResult, Environment, Id, Usage};

use super::world::{World, after_commit_of, commit_id};
use crate::{BuildTime, Store, StoreError, StoredManifest};

pub async fn a_build_survives_storage_in_every_state(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let pending = world.build(&environment).await;
    let running = pending.clone().start(commit_id(), world.tick()).unwrap();
    let usage = Usage { cpu_micros: 1, peak_memory_bytes: u64::from(u32::MAX), wall_millis: 3 };
    let mut states = vec![
        pending.clone(),
        Build { restart_of: Some(Id::generate(world.fx())), ..pending.clone() },
        pending.end(BuildResult::Cancelled, "superseded", usage, world.tick()).unwrap(),
        running.clone(),
    ];
    for result in BuildResult::ALL {
        states.push(running.clone().end(result, "why", usage, world.tick()).unwrap());
    }
    for build in states {
        let mut uow = world.write().await;
        uow.builds().update(&build).await.unwrap();
        let found = uow.builds().find(organization.id, build.id).await.unwrap();
        assert_eq!(found, Some(build));
    }
}

pub async fn a_number_is_taken_once_in_each_organization(store: &dyn Store) {
    let world = World::new(store);
    let (_, _, ours) = world.tenant("shop").await;
    let (_, _, theirs) = world.tenant("blog").await;
    let mut uow = world.write().await;
    uow.builds().insert(&world.new_build(&ours, 7)).await.unwrap();
    let refused = uow.builds().insert(&world.new_build(&ours, 7)).await;
    assert!(matches!(refused, Err(StoreError::Taken("number"))), "{refused:?}");
    uow.builds().insert(&world.new_build(&theirs, 7)).await.unwrap();
    uow.commit().await.unwrap();
}

pub async fn another_organization_never_finds_a_build(store: &dyn Store) {
    let world = World::new(store);
    let (_, _, environment) = world.tenant("shop").await;
    let theirs = world.organization().await;
    let build = world.build(&environment).await;
    let mut uow = world.write().await;
    assert_eq!(uow.builds().find(theirs.id, build.id).await.unwrap(), None);
    assert_eq!(uow.builds().find_for_update(theirs.id, build.id).await.unwrap(), None);
}

pub async fn whoever_locks_a_build_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let id = world.build(&environment).await.id;

    let mut first = world.write().await;
    let build = first.builds().find_for_update(organization.id, id).await.unwrap().unwrap();
    let running = build.start(commit_id(), world.tick()).unwrap();
    first.builds().update(&running).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.builds().find_for_update(organization.id, id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, Some(running));
}

pub async fn the_time_of_builds_is_summed_from_when_they_ended(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let (others, _, of_others) = world.tenant("blog").await;
    let time = async |from| {
        let mut uow = world.read().await;
        uow.builds().time_since(organization.id, from).await.unwrap()
    };
    let first = world.now();
    assert_eq!(time(first).await, BuildTime::default());

    // Together they exceed 32 bits by far.
    ended(&world, &environment, 5_000_000_000).await;
    let second = world.tick();
    ended(&world, &environment, 7_000_000_000).await;
    ended(&world, &of_others, 1).await;
    // It never ran.
    world.build(&environment).await;
    let since = world.tick();
    let running = world.build(&environment).await.start(commit_id(), since).unwrap();
    let mut uow = world.write().await;
    uow.builds().update(&running).await.unwrap();
    uow.commit().await.unwrap();

    let running_since = vec![since];
    let all = BuildTime { ended_millis: 12_000_000_000, running_since: running_since.clone() };
    assert_eq!(time(first).await, all);
    assert_eq!(time(second).await, BuildTime { ended_millis: 7_000_000_000, running_since });
    let theirs = world.read().await.builds().time_since(others.id, first).await.unwrap();
    assert_eq!(theirs, BuildTime { ended_millis: 1, running_since: Vec::new() });
}

async fn ended(world: &World<'_>, environment: &Environment, wall_millis: u64) {
    let build = world.build(environment).await.start(commit_id(), world.now()).unwrap();
    let usage = Usage { wall_millis, ..Usage::default() };
    let build = build.end(BuildResult::BuildFailed, "why", usage, world.now()).unwrap();
    let mut uow = world.write().await;
    uow.builds().update(&build).await.unwrap();
    uow.commit().await.unwrap();
}

pub async fn builds_are_needed_as_long_as_they_may_run_again(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, main) = world.tenant("shop").await;
    let gone = world.environment(&project, "gone").await;

    let forgotten = deployed(&world, &main, Fate::Superseded).await;
    let previous = deployed(&world, &main, Fate::Superseded).await;
    let failed = deployed(&world, &main, Fate::Failed).await;
    let live = deployed(&world, &main, Fate::Live).await;
    let queued = deployed(&world, &main, Fate::Queued).await;
    let of_gone = deployed(&world, &gone, Fate::Superseded).await;
    let destroyed = gone.destroy(world.tick()).unwrap().finish_destroying(world.tick()).unwrap();
    let mut uow = world.write().await;
    uow.environments().update(&destroyed).await.unwrap();
    uow.commit().await.unwrap();

    let mut uow = world.read().await;
    let mut needed = uow.builds().list_needed_of_everyone(2).await.unwrap();
    needed.sort_unstable();
    assert_eq!(needed, [previous, live, queued]);
    for unneeded in [forgotten, failed, of_gone] {
        assert!(!needed.contains(&unneeded));
    }
    // What is unfinished is needed, however little else is kept.
    let mut needed = uow.builds().list_needed_of_everyone(0).await.unwrap();
    needed.sort_unstable();
    assert_eq!(needed, [live, queued]);
}

#[derive(PartialEq, Eq)]
enum Fate {
    Queued,
    Failed,
    Live,
    Superseded,
}

async fn deployed(
    world: &World<'_>,
    environment: &Environment,
    fate: Fate,
) -> windlass_domain::BuildId {
    world.tick();
    let queued = world.deployment(environment).await;
    let build_id = queued.build_id;
    let now = world.now();
    let building = || queued.clone().start_building(commit_id(), now).unwrap();
    let live = || building().start_deploying(now).unwrap().go_live(now).unwrap();
    let deployment = match fate {
        Fate::Queued => queued,
        Fate::Failed => building().fail("exit status 1", now).unwrap(),
        Fate::Live => live(),
        Fate::Superseded => live().supersede(now).unwrap(),
    };
    world.update_deployment(&deployment).await;
    build_id
}

pub async fn a_manifest_is_found_by_its_build_in_its_own_organization_alone(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let (theirs, _, _) = world.tenant("blog").await;
    let (build, other) = (world.build(&environment).await, world.build(&environment).await);
    let manifest =
        StoredManifest { file: "windlass.yaml".to_owned(), text: "name: Größe\n".to_owned() };
    let mut uow = world.write().await;
    uow.builds().insert_manifest(organization.id, build.id, &manifest).await.unwrap();
    let mut builds = uow.builds();
    let found = builds.find_manifest(organization.id, build.id).await.unwrap();
    assert_eq!(found, Some(manifest));
    assert_eq!(builds.find_manifest(organization.id, other.id).await.unwrap(), None);
    assert_eq!(builds.find_manifest(theirs.id, build.id).await.unwrap(), None);
}
