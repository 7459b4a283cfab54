//! Organizations: one's own, all of them, and no others.

use std::sync::Arc;

use windlass_auth::{Membership, Principal, Role, Scope};
use windlass_control::{
    Belonging, Caller, ControlError, Presentation, create_api_key, create_organization,
    get_organization, list_members, list_organizations, list_projects, remove_member,
    set_member_role, update_organization,
};
use windlass_domain::{Id, OrganizationId, PageRequest};
use windlass_storage::Store as _;

use crate::{
    keys::key,
    support::{FX, Platform, occasion},
};

fn is_hidden(outcome: &Result<impl Sized, ControlError>) -> bool {
    matches!(outcome, Err(ControlError::NotFound("organization")))
}

/// Tries everything on an organization.
async fn is_out_of_reach(platform: &Platform, caller: &Caller, id: OrganizationId) -> bool {
    let control = &platform.control;
    let user = platform.owner.principal.user_id;
    let name = "Mine".parse().unwrap();
    is_hidden(&get_organization(control, caller, id).await)
        && is_hidden(&update_organization(control, caller, id, name).await)
        && is_hidden(&list_members(control, caller, id, PageRequest::default()).await)
        && is_hidden(&set_member_role(control, caller, id, user, Role::Viewer).await)
        && is_hidden(&remove_member(control, caller, id, user).await)
}

async fn listed(platform: &Platform, caller: &Caller) -> Vec<(OrganizationId, Role)> {
    let page = list_organizations(&platform.control, caller, PageRequest::default()).await;
    let items = page.unwrap().items.into_iter();
    items.map(|Belonging { organization, role }| (organization.id, role)).collect()
}

#[tokio::test]
async fn another_tenants_organization_is_not_there() {
    let platform = Platform::new("organization_hidden").await;
    let ours = platform.owner.organization();
    let grace = platform.person("Grace", Role::Owner).await;
    let control = &platform.control;
    let theirs = create_organization(control, &grace, "Theirs".parse().unwrap()).await.unwrap();
    let theirs = theirs.organization.id;
    let unknown = Id::generate(FX);

    assert!(is_out_of_reach(&platform, &platform.owner, theirs).await);
    let stranger = platform.person("Linus", Role::Owner).await;
    assert!(is_out_of_reach(&platform, &stranger, theirs).await);
    for id in [theirs, unknown] {
        assert!(is_out_of_reach(&platform, &stranger, id).await);
    }
    // A key opens one organization, whatever else its creator belongs to.
    let minted = create_api_key(control, &grace, key(&[Scope::Admin])).await.unwrap();
    let shown = Presentation::bearer(minted.key.expose());
    let principal = control.authenticate(shown).await.unwrap();
    let by_key = control.caller(principal, occasion());
    assert!(is_out_of_reach(&platform, &by_key, theirs).await);
    assert_eq!(listed(&platform, &by_key).await, [(ours, Role::Owner)]);
    assert_eq!(listed(&platform, &grace).await, [(theirs, Role::Owner), (ours, Role::Owner)]);
}

#[tokio::test]
async fn whoever_creates_an_organization_owns_it_and_finds_it_empty() {
    let platform = Platform::new("organization_created").await;
    let control = &platform.control;
    platform.project("Shop").await;
    let grace = platform.person("Grace", Role::Admin).await;
    let created = create_organization(control, &grace, "New".parse().unwrap()).await.unwrap();
    assert_eq!(created.role, Role::Owner);
    let id = created.organization.id;
    assert_eq!(get_organization(control, &grace, id).await.unwrap(), created);

    let role = Role::Owner;
    let principal = Principal {
        organization_id: id,
        role,
        permissions: role.permissions(),
        ..(*grace.principal).clone()
    };
    let there = control.caller(Arc::new(principal), occasion());
    let projects = list_projects(control, &there, PageRequest::default()).await.unwrap();
    assert!(projects.items.is_empty());
    let members = list_members(control, &grace, id, PageRequest::default()).await.unwrap();
    assert_eq!(members.items.len(), 1);
}

#[tokio::test]
async fn nobody_who_was_let_in_to_look_on_or_to_work_comes_to_own_something_by_themselves() {
    let platform = Platform::new("organization_not_created").await;
    let control = &platform.control;
    for role in [Role::Viewer, Role::Member] {
        let person = platform.person("Grace", role).await;
        let refused = create_organization(control, &person, "New".parse().unwrap()).await;
        assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
    }
    let refused = create_organization(control, &platform.owner, "New".parse().unwrap()).await;
    let is_right = matches!(refused, Err(ControlError::NeedsSession));
    assert!(is_right, "a key opens no other organization: {refused:?}");
}

#[tokio::test]
async fn somebody_in_two_organizations_is_in_each_what_they_are_there() {
    let platform = Platform::new("organization_two").await;
    let control = &platform.control;
    let ours = platform.owner.organization();
    let grace = platform.person("Grace", Role::Owner).await;
    let theirs = create_organization(control, &grace, "Theirs".parse().unwrap()).await.unwrap();
    let theirs = theirs.organization.id;
    let linus = platform.person("Linus", Role::Viewer).await;
    let user_id = linus.principal.user_id;
    let mut uow = platform.store.write().await.unwrap();
    let membership = Membership { organization_id: theirs, user_id, role: Role::Admin };
    uow.organizations().insert_membership(&membership).await.unwrap();
    uow.commit().await.unwrap();

    let name = || "Renamed".parse().unwrap();
    update_organization(control, &linus, theirs, name()).await.unwrap();
    let refused = update_organization(control, &linus, ours, name()).await;
    assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
    // Leaving one leaves the other alone.
    remove_member(control, &linus, ours, user_id).await.unwrap();
    assert_eq!(listed(&platform, &linus).await, [(theirs, Role::Admin)]);
}
