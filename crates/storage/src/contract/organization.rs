//! Promises about tenants and people.

use windlass_auth::{Membership, Role};
use windlass_domain::{Id, Organization, User};

use super::world::{World, after_commit_of};
use crate::{Store, StoreError};

pub async fn the_first_organization_is_the_oldest(store: &dyn Store) {
    let world = World::new(store);
    assert_eq!(world.read().await.organizations().first_of_everyone().await.unwrap(), None);

    let first = world.organization().await;
    world.tick();
    let second = world.organization().await;
    let mut uow = world.read().await;
    assert_eq!(uow.organizations().first_of_everyone().await.unwrap(), Some(first));
    assert_eq!(uow.organizations().find(second.id).await.unwrap(), Some(second));
}

pub async fn people_and_their_roles_are_found_again(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let elsewhere = world.organization().await;
    for role in Role::ALL {
        let user = User::create("Grace Hopper".parse().unwrap(), world.fx());
        let membership = Membership { organization_id: organization.id, user_id: user.id, role };
        let mut uow = world.write().await;
        uow.organizations().insert_user(&user).await.unwrap();
        uow.organizations().insert_membership(&membership).await.unwrap();
        uow.commit().await.unwrap();

        let mut uow = world.read().await;
        let mut people = uow.organizations();
        assert_eq!(people.find_user(user.id).await.unwrap().as_ref(), Some(&user));
        assert_eq!(people.role_of(organization.id, user.id).await.unwrap(), Some(role));
        assert_eq!(people.role_of(elsewhere.id, user.id).await.unwrap(), None);
    }
}

pub async fn a_persons_places_are_listed_oldest_organization_first(store: &dyn Store) {
    let world = World::new(store);
    let (first, second) = (world.organization().await, world.organization().await);
    let user = world.owner(&second).await;
    let place = |organization_id, role| Membership { organization_id, user_id: user.id, role };
    let mut uow = world.write().await;
    uow.organizations().insert_membership(&place(first.id, Role::Viewer)).await.unwrap();
    let places = uow.organizations().memberships_of(user.id).await.unwrap();
    assert_eq!(places, [place(first.id, Role::Viewer), place(second.id, Role::Owner)]);
    let nobody = uow.organizations().memberships_of(Id::generate(world.fx())).await.unwrap();
    assert_eq!(nobody, []);
}

pub async fn a_membership_is_added_once_and_leaves_the_rest_usable(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user = world.owner(&organization).await;

    let again =
        Membership { organization_id: organization.id, user_id: user.id, role: Role::Viewer };
    let mut uow = world.write().await;
    let refused = uow.organizations().insert_membership(&again).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    let role = uow.organizations().role_of(organization.id, user.id).await.unwrap();
    assert_eq!(role, Some(Role::Owner));
    uow.commit().await.unwrap();
}

pub async fn the_first_owner_is_the_oldest(store: &dyn Store) {
    let world = World::new(store);
    let (organization, elsewhere) = (world.organization().await, world.organization().await);
    world.owner(&elsewhere).await;
    let mut expected = None;
    for role in [Role::Admin, Role::Owner, Role::Viewer, Role::Owner] {
        let user = User::create("Ada".parse().unwrap(), world.fx());
        let membership = Membership { organization_id: organization.id, user_id: user.id, role };
        let mut uow = world.write().await;
        uow.organizations().insert_user(&user).await.unwrap();
        uow.organizations().insert_membership(&membership).await.unwrap();
        uow.commit().await.unwrap();
        if role == Role::Owner {
            expected = expected.or(Some(user.id));
        }
        let mut uow = world.read().await;
        let first = uow.organizations().first_owner(organization.id).await.unwrap();
        assert_eq!(first, expected);
        world.tick();
    }
}

pub async fn an_organization_is_renamed_and_goes_on_counting(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut uow = world.write().await;
    assert_eq!(uow.organizations().next_build_number(organization.id).await.unwrap(), 1);
    let plan = Some("pro".parse().unwrap());
    let renamed = Organization { name: "Größe & Co".parse().unwrap(), plan, ..organization };
    uow.organizations().update(&renamed).await.unwrap();
    assert_eq!(uow.organizations().next_build_number(renamed.id).await.unwrap(), 2);
    uow.commit().await.unwrap();

    let found = world.read().await.organizations().find(renamed.id).await.unwrap();
    assert_eq!(found, Some(renamed));
}

pub async fn build_numbers_count_from_one_in_each_organization(store: &dyn Store) {
    let world = World::new(store);
    let (one, other) = (world.organization().await, world.organization().await);
    let mut uow = world.write().await;
    for expected in 1..=3 {
        assert_eq!(uow.organizations().next_build_number(one.id).await.unwrap(), expected);
    }
    assert_eq!(uow.organizations().next_build_number(other.id).await.unwrap(), 1);
    uow.commit().await.unwrap();

    let mut uow = world.write().await;
    assert_eq!(uow.organizations().next_build_number(one.id).await.unwrap(), 4);
}

pub async fn whoever_takes_a_build_number_second_gets_the_next(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut first = world.write().await;
    assert_eq!(first.organizations().next_build_number(organization.id).await.unwrap(), 1);

    let second = async {
        let mut uow = world.write().await;
        uow.organizations().next_build_number(organization.id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, 2);
}
