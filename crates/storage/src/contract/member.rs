//! Promises about who belongs to an organization.

use windlass_auth::{Member, Membership, Role};
use windlass_domain::{Organization, OrganizationId, PageRequest, User};

use super::world::{World, after_commit_of};
use crate::{Store, UnitOfWork};

async fn join(world: &World<'_>, organization: &Organization, role: Role) -> Member {
    let user = User::create("Grace Hopper".parse().unwrap(), world.fx());
    let membership = Membership { organization_id: organization.id, user_id: user.id, role };
    let mut uow = world.write().await;
    uow.organizations().insert_user(&user).await.unwrap();
    uow.organizations().insert_membership(&membership).await.unwrap();
    uow.commit().await.unwrap();
    Member { user, role }
}

async fn find(world: &World<'_>, organization: &Organization, member: &Member) -> Option<Member> {
    world.read().await.members().find(organization.id, member.user.id).await.unwrap()
}

pub async fn a_member_is_found_in_their_own_organization_alone(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    for role in Role::ALL {
        let member = join(&world, &ours, role).await;
        assert_eq!(find(&world, &theirs, &member).await, None);
        assert_eq!(find(&world, &ours, &member).await, Some(member));
    }
    let mut uow = world.read().await;
    let page = uow.members().list(theirs.id, PageRequest::default()).await.unwrap();
    assert!(page.items.is_empty());
}

pub async fn pages_of_members_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut newest_first = Vec::new();
    for role in [Role::Owner, Role::Viewer, Role::Member] {
        newest_first.insert(0, join(&world, &organization, role).await);
        world.tick();
    }

    let mut uow = world.read().await;
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.members().list(organization.id, first).await.unwrap();
    assert!(first.items == newest_first[..2] && first.has_next);
    let rest = PageRequest::new(Some(newest_first[1].user.id), Some(2)).unwrap();
    let rest = uow.members().list(organization.id, rest).await.unwrap();
    assert!(rest.items == newest_first[2..] && !rest.has_next);
}

pub async fn a_person_finds_all_their_organizations_and_no_others(store: &dyn Store) {
    let world = World::new(store);
    let first = world.organization().await;
    let user = world.owner(&first).await;
    world.tick();
    let second = world.organization().await;
    let other = world.owner(&second).await;
    let role = Role::Viewer;
    let membership = Membership { organization_id: second.id, user_id: user.id, role };
    let mut uow = world.write().await;
    uow.organizations().insert_membership(&membership).await.unwrap();
    uow.commit().await.unwrap();

    let mut uow = world.read().await;
    let all = PageRequest::default();
    let found = uow.members().list_organizations(user.id, all).await.unwrap().items;
    assert_eq!(found, [(second.clone(), Role::Viewer), (first.clone(), Role::Owner)]);
    let found = uow.members().list_organizations(other.id, all).await.unwrap().items;
    assert_eq!(found, [(second.clone(), Role::Owner)]);

    let one = PageRequest::new(None, Some(1)).unwrap();
    let page = uow.members().list_organizations(user.id, one).await.unwrap();
    assert!(page.items.len() == 1 && page.has_next);
    let next = PageRequest::new(Some(second.id), Some(1)).unwrap();
    let page = uow.members().list_organizations(user.id, next).await.unwrap();
    assert!(page.items == [(first, Role::Owner)] && !page.has_next);
}

pub async fn a_role_changes_and_a_member_goes_in_one_organization_alone(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    let member = join(&world, &ours, Role::Member).await;
    let user_id = member.user.id;
    let also = Membership { organization_id: theirs.id, user_id, role: Role::Member };
    let mut uow = world.write().await;
    uow.organizations().insert_membership(&also).await.unwrap();
    let admin = Membership { organization_id: ours.id, user_id, role: Role::Admin };
    uow.members().set_role(&admin).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(find(&world, &ours, &member).await.unwrap().role, Role::Admin);
    assert_eq!(find(&world, &theirs, &member).await.unwrap().role, Role::Member);

    let mut uow = world.write().await;
    uow.members().remove(ours.id, user_id).await.unwrap();
    uow.commit().await.unwrap();
    assert_eq!(find(&world, &ours, &member).await, None);
    assert!(find(&world, &theirs, &member).await.is_some());
}

pub async fn owners_are_counted_in_one_organization_alone(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    for role in [Role::Owner, Role::Admin, Role::Owner] {
        join(&world, &ours, role).await;
    }
    let mut uow = world.read().await;
    assert_eq!(uow.members().count_owners(ours.id).await.unwrap(), 2);
    assert_eq!(uow.members().count_owners(theirs.id).await.unwrap(), 0);
}

pub async fn of_two_owners_who_leave_at_once_the_second_sees_that_they_are_the_last(
    store: &dyn Store,
) {
    let world = World::new(store);
    let organization = world.organization().await;
    let leaving = join(&world, &organization, Role::Owner).await;
    join(&world, &organization, Role::Owner).await;

    let mut first = world.write().await;
    assert_eq!(owners_held(&mut *first, organization.id).await, 2);
    first.members().remove(organization.id, leaving.user.id).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        owners_held(&mut *uow, organization.id).await
    };
    assert_eq!(after_commit_of(first, second).await, 1);
}

/// How many owners there are until the unit of work has ended.
async fn owners_held(uow: &mut dyn UnitOfWork, organization: OrganizationId) -> u64 {
    assert!(uow.organizations().find_for_update(organization).await.unwrap().is_some());
    uow.members().count_owners(organization).await.unwrap()
}

pub async fn a_member_who_is_removed_takes_along_what_they_were_making(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let Member { user, role } = join(&world, &organization, Role::Member).await;
    let key = world.new_api_key(&organization, &user, "made");

    let mut first = world.write().await;
    let held = first.members().role_until_commit(organization.id, user.id).await.unwrap();
    assert_eq!(held, Some(role));
    first.api_keys().insert(&key).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.members().remove(organization.id, user.id).await.unwrap();
        let at = world.tick();
        let revoked = uow.api_keys().revoke_all_of(organization.id, user.id, at).await.unwrap();
        uow.commit().await.unwrap();
        revoked
    };
    assert_eq!(after_commit_of(first, second).await, 1);
}

pub async fn somebody_who_is_being_removed_makes_nothing_any_more(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let Member { user, .. } = join(&world, &organization, Role::Member).await;

    let mut first = world.write().await;
    first.members().remove(organization.id, user.id).await.unwrap();
    let second = async {
        let mut uow = world.write().await;
        uow.members().role_until_commit(organization.id, user.id).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, None);
}
