//! Promises about units of work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use windlass_domain::{Id, Organization, User};

use super::world::World;
use crate::Store;

pub async fn a_dropped_unit_of_work_leaves_nothing(store: &dyn Store) {
    let world = World::new(store);
    let user = User::create("Ada".parse().unwrap(), world.fx());
    let mut uow = world.write().await;
    uow.organizations().insert_user(&user).await.unwrap();
    drop(uow);

    // The next writer comes after the rollback.
    let mut uow = world.write().await;
    assert_eq!(uow.organizations().find_user(user.id).await.unwrap(), None);
    uow.organizations().insert_user(&user).await.unwrap();
    uow.commit().await.unwrap();
}

pub async fn a_unit_of_work_sees_its_own_writes_and_others_do_not(store: &dyn Store) {
    let world = World::new(store);
    let user = User::create("Ada".parse().unwrap(), world.fx());
    let mut reader = world.read().await;
    let mut uow = world.write().await;
    uow.organizations().insert_user(&user).await.unwrap();
    assert!(uow.organizations().find_user(user.id).await.unwrap().is_some());
    assert!(reader.organizations().find_user(user.id).await.unwrap().is_none());
    uow.commit().await.unwrap();
    assert!(reader.organizations().find_user(user.id).await.unwrap().is_some());
}

pub async fn a_unit_of_work_that_only_reads_cannot_write(store: &dyn Store) {
    let world = World::new(store);
    let user = User::create("Ada".parse().unwrap(), world.fx());
    let refused = world.read().await.organizations().insert_user(&user).await;
    assert!(refused.is_err());
    let found = world.read().await.organizations().find_user(user.id).await.unwrap();
    assert_eq!(found, None);
}

pub async fn a_commit_that_succeeds_has_kept_everything_before_it(store: &dyn Store) {
    let world = World::new(store);
    let user = User::create("Ada".parse().unwrap(), world.fx());
    let mut uow = world.write().await;
    uow.organizations().insert_user(&user).await.unwrap();
    let nowhere = Organization::create("Nowhere".parse().unwrap(), world.fx());
    let failed = uow.projects().insert(&world.new_project(&nowhere, "shop")).await;
    assert!(failed.is_err());

    // Whether the failure spoils the whole is up to the database, but not what is said about it.
    let committed = uow.commit().await.is_ok();
    let found = world.read().await.organizations().find_user(user.id).await.unwrap();
    assert_eq!(found.is_some(), committed);
}

pub async fn what_waits_for_the_commit_is_done_once_it_has_succeeded(store: &dyn Store) {
    let world = World::new(store);
    let times = Arc::new(AtomicUsize::new(0));
    let count = || {
        let times = Arc::clone(&times);
        Box::new(move || {
            times.fetch_add(1, Ordering::Relaxed);
        })
    };
    let mut dropped = world.write().await;
    dropped.after_commit(count());
    drop(dropped);

    let mut refused = world.write().await;
    refused.after_commit(count());
    let nowhere = Organization::create("Nowhere".parse().unwrap(), world.fx());
    assert!(refused.projects().insert(&world.new_project(&nowhere, "shop")).await.is_err());
    let committed = usize::from(refused.commit().await.is_ok());
    assert_eq!(times.load(Ordering::Relaxed), committed);

    let mut kept = world.write().await;
    kept.after_commit(count());
    kept.after_commit(count());
    assert_eq!(times.load(Ordering::Relaxed), committed);
    kept.commit().await.unwrap();
    assert_eq!(times.load(Ordering::Relaxed), committed + 2);
}

pub async fn readers_do_not_wait_for_writers(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut uow = world.write().await;
    uow.organizations().next_build_number(organization.id).await.unwrap();

    let mut reader = world.read().await;
    let found = reader.organizations().find(organization.id).await.unwrap();
    assert_eq!(found, Some(organization));
    uow.commit().await.unwrap();
}

pub async fn writers_all_get_their_turn(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await.id;
    let take_number = async || {
        let mut uow = world.write().await;
        let number = uow.organizations().next_build_number(organization).await.unwrap();
        uow.commit().await.unwrap();
        number
    };
    let mut numbers = join_all((0..40).map(|_| take_number())).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
}

pub async fn a_writer_that_stops_waiting_holds_nobody_up(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await.id;
    let mut first = world.write().await;
    first.organizations().next_build_number(organization).await.unwrap();

    let impatient = async {
        let mut uow = world.write().await;
        uow.organizations().next_build_number(organization).await.unwrap();
    };
    let given_up = tokio::time::timeout(Duration::from_millis(50), impatient).await;
    assert!(given_up.is_err());
    first.commit().await.unwrap();

    let mut third = world.write().await;
    assert_eq!(third.organizations().next_build_number(organization).await.unwrap(), 2);
    let unknown = Id::generate(world.fx());
    assert!(third.organizations().next_build_number(unknown).await.is_err());
}
