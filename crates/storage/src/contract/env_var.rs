//! Promises about environment variables.

use windlass_domain::{EnvVar, PageRequest, SealedValue};

use super::world::{World, after_commit_of};
use crate::{Store, StoreError};

pub async fn a_variable_survives_storage(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let of_project = world.env_var(&project, None, "TOKEN").await;
    let of_environment = world.env_var(&project, Some(environment.id), "TOKEN").await;
    let changed = EnvVar {
        value: SealedValue { key_id: 2, bytes: Vec::new() },
        updated_at: world.tick(),
        ..of_environment.clone()
    };

    let mut uow = world.write().await;
    for var in [of_project, of_environment] {
        let found = uow.env_vars().find(organization.id, project.id, var.id).await.unwrap();
        assert_eq!(found, Some(var));
    }
    uow.env_vars().update(&changed).await.unwrap();
    let found = uow.env_vars().find(organization.id, project.id, changed.id).await.unwrap();
    assert_eq!(found, Some(changed));
}

pub async fn a_name_is_taken_once_at_each_level(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let other = world.project(&organization, "other").await;
    let sibling = world.environment(&project, "sibling").await;
    world.env_var(&project, None, "TOKEN").await;
    world.env_var(&project, Some(environment.id), "TOKEN").await;

    let mut uow = world.write().await;
    for level in [None, Some(environment.id)] {
        let refused = uow.env_vars().insert(&world.new_env_var(&project, level, "TOKEN")).await;
        assert!(matches!(refused, Err(StoreError::Taken("key"))), "{refused:?}");
    }
    for free in [
        world.new_env_var(&project, None, "token"),
        world.new_env_var(&project, Some(sibling.id), "TOKEN"),
        world.new_env_var(&other, None, "TOKEN"),
    ] {
        uow.env_vars().insert(&free).await.unwrap();
    }
    uow.commit().await.unwrap();
}

pub async fn a_variable_is_found_at_exactly_its_level(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let of_project = world.env_var(&project, None, "TOKEN").await;
    let of_environment = world.env_var(&project, Some(environment.id), "TOKEN").await;
    let only_of_project = world.env_var(&project, None, "URL").await;

    let mut uow = world.write().await;
    let mut vars = uow.env_vars();
    for (level, key, expected) in [
        (None, "TOKEN", Some(of_project)),
        (Some(environment.id), "TOKEN", Some(of_environment)),
        (None, "URL", Some(only_of_project)),
        (Some(environment.id), "URL", None),
    ] {
        let key = key.parse().unwrap();
        let found = vars.find_by_key_for_update(organization.id, project.id, level, &key).await;
        assert_eq!(found.unwrap(), expected);
    }
}

pub async fn an_environment_sees_its_own_and_its_projects_variables(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let sibling = world.environment(&project, "sibling").await;
    let of_project = world.env_var(&project, None, "A").await;
    let own = world.env_var(&project, Some(environment.id), "A").await;
    world.env_var(&project, Some(sibling.id), "A").await;

    let mut uow = world.read().await;
    let seen = uow.env_vars().list_seen_by(organization.id, project.id, environment.id).await;
    let mut seen = seen.unwrap();
    seen.sort_by_key(|var| var.id);
    assert_eq!(seen, [of_project, own]);
}

pub async fn another_organization_never_finds_a_variable(store: &dyn Store) {
    let world = World::new(store);
    let (_, project, environment) = world.tenant("shop").await;
    let (theirs, their_project, _) = world.tenant("blog").await;
    let var = world.env_var(&project, None, "TOKEN").await;

    let mut uow = world.write().await;
    let mut vars = uow.env_vars();
    for project in [project.id, their_project.id] {
        assert_eq!(vars.find(theirs.id, project, var.id).await.unwrap(), None);
        let found = vars.find_by_key_for_update(theirs.id, project, None, &var.key).await;
        assert_eq!(found.unwrap(), None);
        let page = vars.list(theirs.id, project, PageRequest::default()).await.unwrap();
        assert!(page.items.is_empty());
        assert_eq!(vars.list_seen_by(theirs.id, project, environment.id).await.unwrap(), []);
        assert!(!vars.delete(theirs.id, project, var.id).await.unwrap());
    }
}

pub async fn a_deleted_variable_is_gone(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let other = world.project(&organization, "other").await;
    let var = world.env_var(&project, None, "TOKEN").await;

    let mut uow = world.write().await;
    let mut vars = uow.env_vars();
    assert!(!vars.delete(organization.id, other.id, var.id).await.unwrap());
    assert!(vars.delete(organization.id, project.id, var.id).await.unwrap());
    assert!(!vars.delete(organization.id, project.id, var.id).await.unwrap());
    assert_eq!(vars.find(organization.id, project.id, var.id).await.unwrap(), None);
    vars.insert(&world.new_env_var(&project, None, "TOKEN")).await.unwrap();
}

pub async fn the_variables_of_one_environment_or_project_are_deleted_and_no_others(
    store: &dyn Store,
) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let (theirs, _, _) = world.tenant("blog").await;
    let other = world.project(&organization, "other").await;
    let sibling = world.environment(&project, "sibling").await;
    let of_other = world.env_var(&other, None, "TOKEN").await;
    let of_project = world.env_var(&project, None, "TOKEN").await;
    let of_sibling = world.env_var(&project, Some(sibling.id), "TOKEN").await;
    let own = world.env_var(&project, Some(environment.id), "TOKEN").await;

    let mut uow = world.write().await;
    let mut vars = uow.env_vars();
    let everything = PageRequest::default();
    // Named by others, there is nothing to delete.
    vars.delete_of_environment(theirs.id, project.id, environment.id).await.unwrap();
    vars.delete_of_environment(organization.id, other.id, environment.id).await.unwrap();
    vars.delete_of_project(theirs.id, project.id).await.unwrap();
    let left = vars.list(organization.id, project.id, everything).await.unwrap();
    assert_eq!(left.items, [own, of_sibling.clone(), of_project.clone()]);

    vars.delete_of_environment(organization.id, project.id, environment.id).await.unwrap();
    let left = vars.list(organization.id, project.id, everything).await.unwrap();
    assert_eq!(left.items, [of_sibling, of_project]);

    vars.delete_of_project(organization.id, project.id).await.unwrap();
    let left = vars.list(organization.id, project.id, everything).await.unwrap();
    assert_eq!(left.items, []);
    let left = vars.list(organization.id, other.id, everything).await.unwrap();
    assert_eq!(left.items, [of_other]);
}

pub async fn pages_of_variables_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, environment) = world.tenant("shop").await;
    let other = world.project(&organization, "other").await;
    world.env_var(&other, None, "A").await;
    let one = world.env_var(&project, None, "A").await;
    let two = world.env_var(&project, Some(environment.id), "A").await;
    let three = world.env_var(&project, None, "B").await;

    let mut uow = world.read().await;
    let mut vars = uow.env_vars();
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = vars.list(organization.id, project.id, first).await.unwrap();
    assert_eq!((first.items, first.has_next), (vec![three, two.clone()], true));
    let rest = PageRequest::new(Some(two.id), Some(2)).unwrap();
    let rest = vars.list(organization.id, project.id, rest).await.unwrap();
    assert_eq!((rest.items, rest.has_next), (vec![one], false));
}

pub async fn whoever_locks_a_variable_second_sees_what_the_first_wrote(store: &dyn Store) {
    let world = World::new(store);
    let (organization, project, _) = world.tenant("shop").await;
    let var = world.env_var(&project, None, "TOKEN").await;

    let mut first = world.write().await;
    let found = first
        .env_vars()
        .find_by_key_for_update(organization.id, project.id, None, &var.key)
        .await
        .unwrap()
        .unwrap();
    let changed = EnvVar { value: SealedValue { key_id: 9, bytes: vec![1] }, ..found };
    first.env_vars().update(&changed).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        let mut vars = uow.env_vars();
        vars.find_by_key_for_update(organization.id, project.id, None, &var.key).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, Some(changed));
}
