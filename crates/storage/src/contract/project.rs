//! Promises about projects.

use windlass_domain::{PageRequest, Project, ProjectState, Resources};

use super::world::{World, after_commit_of};
use crate::{Holding, ProjectFilter, Store, StoreError};

pub async fn a_project_survives_storage_in_every_state(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let active = world.project(&organization, "shop").await;
    let plain = Project {
        github_repo: None,
        settings: windlass_domain::ProjectSettings::default(),
        ..world.new_project(&organization, "plain")
    };
    let mut uow = world.write().await;
    uow.projects().insert(&plain).await.unwrap();
    for project in [&active, &plain] {
        let found = uow.projects().find(organization.id, project.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(project));
    }

    let deleting = active.delete(world.tick()).unwrap();
    assert!(matches!(deleting.state, ProjectState::Deleting { .. }));
    uow.projects().update(&deleting).await.unwrap();
    let found = uow.projects().find(organization.id, deleting.id).await.unwrap();
    assert_eq!(found, Some(deleting));
}

pub async fn a_taken_slug_is_reported_and_leaves_the_rest_usable(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    world.project(&ours, "shop").await;

    let mut uow = world.write().await;
    let refused = uow.projects().insert(&world.new_project(&ours, "shop")).await;
    assert!(matches!(refused, Err(StoreError::Taken("slug"))), "{refused:?}");
    let suffixed = world.new_project(&ours, "shop-2");
    uow.projects().insert(&suffixed).await.unwrap();
    uow.projects().insert(&world.new_project(&theirs, "shop")).await.unwrap();
    uow.commit().await.unwrap();
    let found = world.read().await.projects().find(ours.id, suffixed.id).await.unwrap();
    assert_eq!(found, Some(suffixed));
}

pub async fn a_deleted_project_is_found_by_nobody_and_its_slug_is_free(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let project = world.project(&organization, "shop").await;
    let deleted = project.delete(world.tick()).unwrap().finish_deleting(world.tick()).unwrap();

    let mut uow = world.write().await;
    uow.projects().update(&deleted).await.unwrap();
    assert_eq!(uow.projects().find(organization.id, deleted.id).await.unwrap(), None);
    assert_eq!(uow.projects().find_for_update(organization.id, deleted.id).await.unwrap(), None);
    let filter = ProjectFilter::default();
    let page = uow.projects().list(organization.id, &filter, PageRequest::default()).await;
    assert!(page.unwrap().items.is_empty());
    uow.projects().insert(&world.new_project(&organization, "shop")).await.unwrap();
}

pub async fn another_organization_never_finds_a_project(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let project = world.project(&ours, "shop").await;

    let mut uow = world.write().await;
    assert_eq!(uow.projects().find(theirs.id, project.id).await.unwrap(), None);
    assert_eq!(uow.projects().find_for_update(theirs.id, project.id).await.unwrap(), None);
    let filter = ProjectFilter { only: Some(vec![project.id]) };
    let page = uow.projects().list(theirs.id, &filter, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn pages_of_projects_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut newest_first = Vec::new();
    for slug in ["a", "b", "c"] {
        newest_first.insert(0, world.project(&organization, slug).await);
    }

    let mut uow = world.read().await;
    let filter = ProjectFilter::default();
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.projects().list(organization.id, &filter, first).await.unwrap();
    assert_eq!((&first.items[..], first.has_next), (&newest_first[..2], true));
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = uow.projects().list(organization.id, &filter, rest).await.unwrap();
    assert_eq!((&rest.items[..], rest.has_next), (&newest_first[2..], false));
}

pub async fn a_list_can_be_limited_to_some_projects(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let one = world.project(&organization, "a").await;
    world.project(&organization, "b").await;
    let three = world.project(&organization, "c").await;

    let mut uow = world.read().await;
    for (only, expected) in
        [(vec![], vec![]), (vec![one.id, three.id], vec![three.clone(), one.clone()])]
    {
        let filter = ProjectFilter { only: Some(only) };
        let page = uow.projects().list(organization.id, &filter, PageRequest::default()).await;
        assert_eq!(page.unwrap().items, expected);
    }
}

pub async fn whoever_locks_a_project_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let id = world.project(&organization, "shop").await.id;

    let mut first = world.write().await;
    let project = first.projects().find_for_update(organization.id, id).await.unwrap().unwrap();
    let deleting = project.delete(world.tick()).unwrap();
    first.projects().update(&deleting).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.projects().find_for_update(organization.id, id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, Some(deleting));
}

pub async fn a_slug_that_is_about_to_be_taken_is_waited_for(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut first = world.write().await;
    first.projects().insert(&world.new_project(&organization, "shop")).await.unwrap();

    let second = async {
        let mut uow = world.write().await;
        uow.projects().insert(&world.new_project(&organization, "shop")).await
    };
    let refused = after_commit_of(first, second).await;
    assert!(matches!(refused, Err(StoreError::Taken("slug"))), "{refused:?}");
}

pub async fn projects_hold_what_their_present_environments_may_use(store: &dyn Store) {
    let world = World::new(store);
    let (organization, shop, _) = world.tenant("shop").await;
    world.tenant("blog").await;
    let empty = world.project(&organization, "empty").await;
    let gone = world.project(&organization, "gone").await;
    let gone = gone.delete(world.tick()).unwrap().finish_deleting(world.tick()).unwrap();
    let next = world.environment(&shop, "next").await;
    let old = world.environment(&shop, "old").await;
    let old = old.allot(Resources { cpu_millis: Some(1), memory_mb: None }, world.tick()).unwrap();
    let destroyed = old.destroy(world.tick()).unwrap().finish_destroying(world.tick()).unwrap();
    let mut uow = world.write().await;
    let own = Resources { cpu_millis: None, memory_mb: Some(64) };
    let allotted = next.allot(own, world.tick()).unwrap();
    uow.environments().update(&allotted).await.unwrap();
    uow.projects().update(&gone).await.unwrap();
    uow.environments().update(&destroyed).await.unwrap();
    uow.commit().await.unwrap();

    let mut held = world.read().await.projects().list_holdings(organization.id).await.unwrap();
    held.sort_unstable_by_key(|holding| holding.project);
    let holding = |project: &Project, environments, own: &[Resources]| Holding {
        own: own.to_vec(),
        project: project.id,
        resources: project.settings.resources,
        environments,
    };
    assert_eq!(held, [holding(&shop, 2, &[own]), holding(&empty, 0, &[])]);
}

pub async fn projects_of_a_repository_are_found_whoever_they_belong_to(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let at = |organization, slug, url: &str| Project {
        git_url: url.parse().unwrap(),
        ..world.new_project(organization, slug)
    };
    let first = at(&ours, "shop", "https://GitHub.com/Octocat/Shop");
    let second = at(&theirs, "shop", "git@github.com:octocat/shop.git");
    let other = at(&ours, "blog", "https://github.com/octocat/blog");
    let deleting = at(&ours, "old", "https://github.com/octocat/shop").delete(world.tick());
    let mut uow = world.write().await;
    for project in [&first, &second, &other, &deleting.unwrap()] {
        uow.projects().insert(project).await.unwrap();
    }
    let addresses = ["https://github.com/octocat/shop", "git@github.com:octocat/shop.git"];
    let addresses = addresses.map(str::to_owned);
    let found = uow.projects().list_of_repository_of_everyone(&addresses).await.unwrap();
    assert_eq!(found, [first, second]);
    assert_eq!(uow.projects().list_of_repository_of_everyone(&[]).await.unwrap(), []);
}
