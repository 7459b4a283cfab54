//! The decision, case by case.

use windlass_auth::{
    Denied, Permission, PermissionSet, Principal, ProjectReach, Target, authorize,
};
use windlass_domain::OrganizationId;

use crate::support::World;

fn decide(principal: &Principal, permission: Permission, target: Target) -> Result<(), Denied> {
    authorize(principal, permission, target).map(|grant| {
        assert_eq!((grant.permission(), grant.target()), (permission, target));
    })
}

fn forbidden(permission: Permission) -> Result<(), Denied> {
    Err(Denied::Forbidden { permission })
}

#[test]
fn a_permission_that_is_held_is_granted_everywhere_in_the_organization() {
    let world = World::new();
    let caller =
        world.principal(PermissionSet::of(&[Permission::ProjectsWrite]), ProjectReach::All);

    for target in [
        Target::organization(world.organization),
        Target::projects(world.organization),
        Target::project(world.organization, world.project()),
    ] {
        assert_eq!(decide(&caller, Permission::ProjectsWrite, target), Ok(()));
        assert_eq!(
            decide(&caller, Permission::ProjectsRead, target),
            forbidden(Permission::ProjectsRead),
            "writing does not include reading"
        );
    }
}

#[test]
fn a_credential_without_permissions_gets_nothing() {
    let world = World::new();
    let caller = world.principal(PermissionSet::EMPTY, ProjectReach::All);

    for permission in Permission::ALL {
        let target = Target::projects(world.organization);
        assert_eq!(decide(&caller, permission, target), forbidden(permission));
    }
}

#[test]
fn another_organization_is_refused_and_its_projects_do_not_exist() {
    let world = World::new();
    let other = OrganizationId::generate(world.fx());
    let project = world.project();

    for permissions in [PermissionSet::ALL, PermissionSet::EMPTY] {
        for reach in [ProjectReach::All, ProjectReach::Only([project].into())] {
            let caller = world.principal(permissions, reach);
            for permission in Permission::ALL {
                let decide = |target| decide(&caller, permission, target);
                assert_eq!(decide(Target::organization(other)), Err(Denied::WrongOrganization));
                assert_eq!(decide(Target::projects(other)), Err(Denied::WrongOrganization));
                assert_eq!(decide(Target::project(other, project)), Err(Denied::Hidden));
            }
        }
    }
}

#[test]
fn a_bound_credential_acts_within_its_projects_and_knows_of_no_other() {
    let world = World::new();
    let (own, other) = (world.project(), world.project());
    let caller = world.principal(PermissionSet::ALL, ProjectReach::Only([own].into()));

    for permission in Permission::ALL {
        let decide =
            |project| decide(&caller, permission, Target::project(world.organization, project));
        assert_eq!(decide(own), Ok(()));
        assert_eq!(decide(other), Err(Denied::Hidden));
    }
    assert!(caller.reaches(own) && !caller.reaches(other));
}

#[test]
fn a_bound_credential_lists_projects_but_does_not_add_to_them() {
    let world = World::new();
    let caller = world.principal(PermissionSet::ALL, ProjectReach::Only([world.project()].into()));
    let projects = Target::projects(world.organization);

    assert_eq!(decide(&caller, Permission::ProjectsRead, projects), Ok(()));
    assert_eq!(decide(&caller, Permission::UsageRead, projects), Ok(()));
    assert_eq!(
        decide(&caller, Permission::ProjectsWrite, projects),
        forbidden(Permission::ProjectsWrite)
    );
}

#[test]
fn a_bound_credential_has_no_part_in_what_belongs_to_the_organization() {
    let world = World::new();
    let caller = world.principal(PermissionSet::ALL, ProjectReach::Only([world.project()].into()));

    for permission in Permission::ALL {
        let target = Target::organization(world.organization);
        assert_eq!(decide(&caller, permission, target), forbidden(permission));
    }
}

#[test]
fn a_credential_bound_to_no_project_reaches_none() {
    let world = World::new();
    let caller = world.principal(PermissionSet::ALL, ProjectReach::Only([].into()));

    let target = Target::project(world.organization, world.project());
    assert_eq!(decide(&caller, Permission::ProjectsRead, target), Err(Denied::Hidden));
}

#[test]
fn the_permission_is_asked_for_before_the_project() {
    let world = World::new();
    let caller = world.principal(PermissionSet::EMPTY, ProjectReach::Only([].into()));

    let target = Target::project(world.organization, world.project());
    assert_eq!(
        decide(&caller, Permission::LogsRead, target),
        forbidden(Permission::LogsRead),
        "a caller that lacks the permission learns nothing about any project"
    );
}

#[test]
fn a_target_tells_where_it_is() {
    let world = World::new();
    let project = world.project();
    let target = Target::project(world.organization, project);

    assert_eq!(target.organization_id(), world.organization);
    assert_eq!(target.project_id(), Some(project));
    assert_eq!(Target::projects(world.organization).project_id(), None);
    assert_eq!(Target::organization(world.organization).project_id(), None);
}
