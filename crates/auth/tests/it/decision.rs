//! The decision, case by case.

use std::sync::Arc;

use windlass_auth::{
    Checks, Denied, OutOfBudget, Permission, PermissionSet, Principal, ProjectReach, Restriction,
    Target, authorize,
};
use windlass_domain::{DeploymentId, EnvironmentId, OrganizationId};

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

    let environment = EnvironmentId::generate(world.fx());
    let deployment = DeploymentId::generate(world.fx());
    let inside = target.in_environment(environment).in_deployment(deployment);
    assert_eq!(inside.environment_id(), Some(environment));
    assert_eq!(inside.deployment_id(), Some(deployment));
    assert_eq!(inside.project_id(), Some(project));
}

/// Checks that a function stands for.
struct Asked<F>(F);

impl<F> Checks for Asked<F>
where
    F: Fn(Permission, Target) -> Result<bool, OutOfBudget> + Send + Sync,
{
    fn allow(&self, permission: Permission, target: Target) -> Result<bool, OutOfBudget> {
        self.0(permission, target)
    }
}

fn restricted<F>(world: &World, permissions: PermissionSet, checks: F) -> Principal
where
    F: Fn(Permission, Target) -> Result<bool, OutOfBudget> + Send + Sync + 'static,
{
    let restriction = Some(Restriction::new(Arc::new(Asked(checks))));
    Principal { restriction, ..world.principal(permissions, ProjectReach::All) }
}

#[test]
fn checks_narrow_what_is_granted_and_never_widen_it() {
    let world = World::new();
    let rights = PermissionSet::of(&[Permission::ProjectsRead, Permission::ProjectsWrite]);
    let reader = restricted(&world, rights, |permission, _| Ok(permission.is_read()));
    let project = Target::project(world.organization, world.project());

    assert_eq!(decide(&reader, Permission::ProjectsRead, project), Ok(()));
    for permission in [Permission::ProjectsWrite, Permission::LogsRead] {
        assert_eq!(decide(&reader, permission, project), forbidden(permission));
    }
}

#[test]
fn what_checks_rule_out_altogether_does_not_exist() {
    let world = World::new();
    let (own, other) = (world.project(), world.project());
    let caller = restricted(&world, PermissionSet::ALL, move |permission, target| {
        Ok(target.project_id() == Some(own) && permission == Permission::LogsRead)
    });
    let decide = |permission, target| decide(&caller, permission, target);
    let at = |project| Target::project(world.organization, project);

    assert_eq!(decide(Permission::LogsRead, at(own)), Ok(()));
    assert_eq!(decide(Permission::ProjectsRead, at(own)), forbidden(Permission::ProjectsRead));
    assert_eq!(decide(Permission::LogsRead, at(other)), Err(Denied::Hidden));
    let everything = Target::projects(world.organization);
    assert_eq!(decide(Permission::LogsRead, everything), forbidden(Permission::LogsRead));
}

#[test]
fn checks_that_cost_too_much_are_no_refusal() {
    let world = World::new();
    let caller = restricted(&world, PermissionSet::ALL, |_, _| Err(OutOfBudget));
    let target = Target::organization(world.organization);

    let undecided = Err(Denied::Undecided(OutOfBudget));
    assert_eq!(decide(&caller, Permission::UsageRead, target), undecided);
}
