//! Promises about deployments.

use windlass_domain::{Deployment, DeploymentKind, Id, PageRequest, Trigger};

use super::world::{World, after_commit_of, commit_id};
use crate::Store;

pub async fn a_deployment_survives_storage_in_every_state(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let queued = world.deployment(&environment).await;
    let building = queued.clone().start_building(commit_id(), world.tick()).unwrap();
    let deploying = building.clone().start_deploying(world.tick()).unwrap();
    let live = deploying.clone().go_live(world.tick()).unwrap();
    let states = [
        Deployment { kind: DeploymentKind::BrandNew, ..queued.clone() },
        Deployment { trigger: Trigger::Created, ..queued.clone() },
        Deployment {
            trigger: Trigger::Rollback { to: Id::generate(world.fx()) },
            ..queued.clone()
        },
        queued.cancel("superseded by a later push", world.tick()).unwrap(),
        building.fail("exit status 1", world.tick()).unwrap(),
        deploying,
        live.clone().supersede(world.tick()).unwrap(),
        live,
    ];
    for deployment in states {
        let mut uow = world.write().await;
        uow.deployments().update(&deployment).await.unwrap();
        let found = uow.deployments().find(organization.id, deployment.id).await.unwrap();
        assert_eq!(found, Some(deployment));
    }
}

pub async fn another_organization_never_finds_a_deployment(store: &dyn Store) {
    let world = World::new(store);
    let (_, _, environment) = world.tenant("shop").await;
    let theirs = world.organization().await.id;
    let id = world.deployment(&environment).await.id;

    let mut uow = world.write().await;
    let mut deployments = uow.deployments();
    assert_eq!(deployments.find(theirs, id).await.unwrap(), None);
    assert_eq!(deployments.find_for_update(theirs, id).await.unwrap(), None);
    let page = deployments.list(theirs, environment.id, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
    let newest = deployments.list_newest_of(theirs, &[environment.id]).await.unwrap();
    assert!(newest.is_empty());
    let unfinished = deployments.list_unfinished_for_update(theirs, environment.id).await.unwrap();
    assert!(unfinished.is_empty());
}

pub async fn pages_of_deployments_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let elsewhere = world.environment(&project, "elsewhere").await;
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        newest_first.insert(0, world.deployment(&environment).await);
        world.deployment(&elsewhere).await;
    }

    let mut uow = world.read().await;
    let mut deployments = uow.deployments();
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = deployments.list(organization.id, environment.id, first).await.unwrap();
    assert_eq!((&first.items[..], first.has_next), (&newest_first[..2], true));
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = deployments.list(organization.id, environment.id, rest).await.unwrap();
    assert_eq!((&rest.items[..], rest.has_next), (&newest_first[2..], false));
}

pub async fn unfinished_deployments_come_oldest_first(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let elsewhere = world.environment(&project, "elsewhere").await;
    let building = world.deployment(&environment).await;
    let building = building.start_building(commit_id(), world.tick()).unwrap();
    world.update_deployment(&building).await;
    let cancelled = world.deployment(&environment).await;
    let cancelled = cancelled.cancel("superseded", world.tick()).unwrap();
    world.update_deployment(&cancelled).await;
    let queued = world.deployment(&environment).await;
    world.deployment(&elsewhere).await;

    let mut uow = world.write().await;
    let unfinished =
        uow.deployments().list_unfinished_for_update(organization.id, environment.id).await;
    assert_eq!(unfinished.unwrap(), [building, queued]);
}

pub async fn the_newest_deployment_of_each_environment_is_found(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, main) = world.tenant("shop").await;
    let other = world.environment(&project, "other").await;
    let unasked = world.environment(&project, "unasked").await;
    let empty = world.environment(&project, "empty").await;
    world.deployment(&main).await;
    let newest_of_main = world.deployment(&main).await;
    let newest_of_other = world.deployment(&other).await;
    world.deployment(&unasked).await;

    let mut uow = world.read().await;
    let environments = [main.id, other.id, empty.id];
    let newest = uow.deployments().list_newest_of(organization.id, &environments).await;
    let mut newest = newest.unwrap();
    newest.sort_by_key(|deployment| deployment.id);
    assert_eq!(newest, [newest_of_main, newest_of_other]);
    let newest = uow.deployments().list_newest_of(organization.id, &[]).await.unwrap();
    assert_eq!(newest, []);
}

pub async fn whoever_locks_a_deployment_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let id = world.deployment(&environment).await.id;

    let mut first = world.write().await;
    let found = first.deployments().find_for_update(organization.id, id).await.unwrap().unwrap();
    let cancelled = found.cancel("by hand", world.tick()).unwrap();
    first.deployments().update(&cancelled).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.deployments().find_for_update(organization.id, id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, Some(cancelled));
}

pub async fn whoever_lists_unfinished_deployments_second_sees_what_the_first_wrote(
    store: &dyn Store,
) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    world.deployment(&environment).await;
    let later = world.deployment(&environment).await;

    let mut first = world.write().await;
    let mut found = first
        .deployments()
        .list_unfinished_for_update(organization.id, environment.id)
        .await
        .unwrap();
    let cancelled = found.remove(0).cancel("superseded", world.tick()).unwrap();
    first.deployments().update(&cancelled).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.deployments().list_unfinished_for_update(organization.id, environment.id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, [later]);
}
