//! Promises about environments.

use windlass_domain::{Environment, EnvironmentKind, Id, PageRequest, PausedBy, Project};

use super::world::{World, after_commit_of};
use crate::{Resting, Store, StoreError};

pub async fn an_environment_survives_storage_in_every_state(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, provisioning) = world.tenant("shop").await;
    let deployment = Id::generate(world.fx());
    let failed = provisioning.clone().deployment_failed("no start command", world.tick()).unwrap();
    let active = failed.clone().go_live(deployment, world.tick()).unwrap();
    let resting = active.clone().pause(PausedBy::Idleness, world.tick()).unwrap();
    let paused = resting.clone().pause(PausedBy::Person, world.tick()).unwrap();
    let crashed = active.clone().app_failed("it keeps crashing", world.tick()).unwrap();
    let destroying = active.clone().destroy(world.tick()).unwrap();
    let destroyed = destroying.clone().finish_destroying(world.tick()).unwrap();
    for environment in
        [provisioning, failed, active, resting, paused, crashed, destroying, destroyed]
    {
        let mut uow = world.write().await;
        uow.environments().update(&environment).await.unwrap();
        uow.commit().await.unwrap();
        let mut uow = world.read().await;
        let found = uow.environments().find(organization.id, environment.id).await.unwrap();
        assert_eq!(found, Some(environment));
    }
}

pub async fn a_taken_branch_or_host_is_named_and_leaves_the_rest_usable(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, _) = world.tenant("shop").await;
    let (_, elsewhere, _) = world.tenant("blog").await;

    let mut uow = world.write().await;
    let same_branch = world.new_environment(&project, "main", "another-host");
    let refused = uow.environments().insert(&same_branch).await;
    assert!(matches!(refused, Err(StoreError::Taken("branch"))), "{refused:?}");
    let same_host = world.new_environment(&elsewhere, "dev", "main-shop");
    let refused = uow.environments().insert(&same_host).await;
    assert!(matches!(refused, Err(StoreError::Taken("host"))), "{refused:?}");
    let same_both = world.new_environment(&project, "main", "main-shop");
    let refused = uow.environments().insert(&same_both).await;
    assert!(matches!(refused, Err(StoreError::Taken("branch"))), "{refused:?}");

    let suffixed = world.new_environment(&elsewhere, "dev", "main-shop-2");
    uow.environments().insert(&suffixed).await.unwrap();
    uow.commit().await.unwrap();
    let mut uow = world.read().await;
    let found = uow.environments().find(elsewhere.organization_id, suffixed.id).await.unwrap();
    assert_eq!(found, Some(suffixed));
}

async fn destroy(world: &World<'_>, environment: Environment) -> Environment {
    let destroying = environment.destroy(world.tick()).unwrap();
    let destroyed = destroying.finish_destroying(world.tick()).unwrap();
    let mut uow = world.write().await;
    uow.environments().update(&destroyed).await.unwrap();
    uow.commit().await.unwrap();
    destroyed
}

pub async fn what_a_destroyed_environment_had_is_free_again(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, first) = world.tenant("shop").await;
    destroy(&world, first).await;
    let second = world.environment(&project, "main").await;
    destroy(&world, second).await;
    let third = world.environment(&project, "main").await;

    let mut uow = world.read().await;
    let page = uow.environments().list(organization.id, project.id, PageRequest::default()).await;
    assert_eq!(page.unwrap().items, [third]);
}

pub async fn a_destroyed_environment_is_found_but_not_listed(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, main) = world.tenant("shop").await;
    let (_, _, elsewhere) = world.tenant("blog").await;
    let gone = world.environment(&project, "gone").await;
    let gone = destroy(&world, gone).await;

    let mut uow = world.read().await;
    let found = uow.environments().find(organization.id, gone.id).await.unwrap();
    assert_eq!(found, Some(gone));
    let page = uow.environments().list(organization.id, project.id, PageRequest::default()).await;
    assert_eq!(page.unwrap().items, std::slice::from_ref(&main));
    let mut present = uow.environments().list_present_of_everyone().await.unwrap();
    present.sort_by_key(|environment| environment.id);
    assert_eq!(present, [main, elsewhere]);
}

pub async fn another_organization_never_finds_an_environment(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, environment) = world.tenant("shop").await;
    let theirs = world.organization().await;

    let mut uow = world.write().await;
    let mut environments = uow.environments();
    assert_eq!(environments.find(theirs.id, environment.id).await.unwrap(), None);
    assert_eq!(environments.find_for_update(theirs.id, environment.id).await.unwrap(), None);
    let page = environments.list(theirs.id, project.id, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn pages_of_environments_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, main) = world.tenant("shop").await;
    let second = world.environment(&project, "b").await;
    let third = world.environment(&project, "c").await;
    let other = world.project(&organization, "other").await;
    world.environment(&other, "main").await;

    let mut uow = world.read().await;
    let mut environments = uow.environments();
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = environments.list(organization.id, project.id, first).await.unwrap();
    assert_eq!((first.items, first.has_next), (vec![third, second.clone()], true));
    let rest = PageRequest::new(Some(second.id), Some(2)).unwrap();
    let rest = environments.list(organization.id, project.id, rest).await.unwrap();
    assert_eq!((rest.items, rest.has_next), (vec![main], false));
}

pub async fn whoever_locks_an_environment_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let id = environment.id;

    let mut first = world.write().await;
    let found = first.environments().find_for_update(organization.id, id).await.unwrap().unwrap();
    let destroying = found.destroy(world.tick()).unwrap();
    first.environments().update(&destroying).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.environments().find_for_update(organization.id, id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, Some(destroying));
}

pub async fn a_host_that_is_about_to_be_taken_is_waited_for(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, _) = world.tenant("shop").await;
    let (_, elsewhere, _) = world.tenant("blog").await;
    let mut first = world.write().await;
    let wanted = world.new_environment(&project, "dev", "wanted");
    first.environments().insert(&wanted).await.unwrap();

    let second = async {
        let mut uow = world.write().await;
        uow.environments().insert(&world.new_environment(&elsewhere, "dev", "wanted")).await
    };
    let refused = after_commit_of(first, second).await;
    assert!(matches!(refused, Err(StoreError::Taken("host"))), "{refused:?}");
}

pub async fn the_environment_of_a_branch_or_at_an_address_is_found_while_it_is_there(
    store: &dyn Store,
) {
    let world = World::new(store);
    let (organization, project, main) = world.tenant("shop").await;
    let (_, elsewhere, _) = world.tenant("blog").await;
    let find = async |branch: &str| {
        let mut uow = world.write().await;
        let branch = branch.parse().unwrap();
        let mut environments = uow.environments();
        environments.find_of_branch_for_update(organization.id, project.id, &branch).await.unwrap()
    };
    assert_eq!(find("main").await, Some(main.clone()));
    assert_eq!(find("dev").await, None);

    let mut uow = world.write().await;
    let mut environments = uow.environments();
    assert_eq!(environments.find_at_of_everyone(&main.host).await.unwrap(), Some(main.clone()));
    let branch = &main.branch;
    for (organization, project) in
        [(elsewhere.organization_id, project.id), (organization.id, elsewhere.id)]
    {
        let found = environments.find_of_branch_for_update(organization, project, branch).await;
        assert_eq!(found.unwrap(), None);
    }
    drop(environments);
    drop(uow);

    let host = main.host.clone();
    destroy(&world, main).await;
    assert_eq!(find("main").await, None);
    let mut uow = world.read().await;
    assert_eq!(uow.environments().find_at_of_everyone(&host).await.unwrap(), None);
}

pub async fn previews_are_counted_and_listed_with_how_long_they_last(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let (_, elsewhere, _) = world.tenant("blog").await;
    let preview = |project, branch: &str, host: &str| Environment {
        kind: EnvironmentKind::Preview,
        ..world.new_environment(project, branch, host)
    };
    let ours = preview(&project, "dev", "dev-shop");
    let theirs = preview(&elsewhere, "dev", "dev-blog");
    let gone = preview(&project, "gone", "gone-shop");
    let mut uow = world.write().await;
    for environment in [&ours, &theirs, &gone] {
        uow.environments().insert(environment).await.unwrap();
    }
    uow.commit().await.unwrap();
    destroy(&world, gone).await;

    let mut uow = world.read().await;
    let count = uow.environments().count_previews(organization.id, project.id).await.unwrap();
    assert_eq!(count, 1);
    let mut listed = uow.environments().list_previews_of_everyone().await.unwrap();
    listed.sort_by_key(|resting| resting.environment.id);
    let resting = |environment, project: Project| Resting {
        environment,
        previews: project.settings.previews,
    };
    assert_eq!(listed, [resting(ours, project), resting(theirs, elsewhere)]);
}

pub async fn visits_are_noted_forwards_only_and_no_update_takes_them_back(store: &dyn Store) {
    let world = World::new(store);
    let (organization, _, environment) = world.tenant("shop").await;
    let (sooner, later) = (world.tick(), world.tick());
    let mut uow = world.write().await;
    let mut environments = uow.environments();
    environments.note_visits(&[(environment.id, later)]).await.unwrap();
    environments.note_visits(&[(environment.id, sooner)]).await.unwrap();
    let refreshed = environment.refresh(world.tick()).unwrap();
    environments.update(&refreshed).await.unwrap();
    let found = environments.find(organization.id, refreshed.id).await.unwrap();
    assert_eq!(found, Some(Environment { visited_at: Some(later), ..refreshed }));
}
