//! Who may change who belongs to an organization, case by case.

use std::sync::Arc;

use windlass_auth::{
    AddressReach, Checks, Credential, MemberChange, MemberRefusal, OutOfBudget, Permission,
    PermissionSet, Principal, ProjectReach, Restriction, Role, Standing, Target, check_admission,
};

use crate::support::World;

/// What everybody may do with everybody else: the caller, then for each member (viewer, member,
/// admin, owner) which roles they may be given (`vmao`) and whether they may be removed (`x`).
const TABLE: &str = "
    viewer  ----- ----- ----- -----
    member  ----- ----- ----- -----
    admin   vma-x vma-x vma-x -----
    owner   vmaox vmaox vmaox vmaox
";

fn somebody_else(role: Role) -> Standing {
    Standing { role, is_oneself: false, is_only_owner: false }
}

#[test]
fn who_may_do_what_with_whom_is_what_the_table_says() {
    for line in TABLE.trim().lines() {
        let mut words = line.split_whitespace();
        let by: Role = words.next().unwrap().parse().unwrap();
        for (member, cells) in Role::ALL.into_iter().zip(words) {
            let changes = Role::ALL.map(MemberChange::SetRole).into_iter();
            for (change, cell) in changes.chain([MemberChange::Remove]).zip(cells.chars()) {
                let decided = change.check(by, somebody_else(member));
                assert_eq!(decided.is_ok(), cell != '-', "{by} {member} {change:?}");
            }
        }
    }
}

#[test]
fn the_last_owner_neither_leaves_nor_is_removed_nor_becomes_less() {
    let last = |is_oneself| Standing { role: Role::Owner, is_oneself, is_only_owner: true };
    for is_oneself in [true, false] {
        let mut changes = vec![MemberChange::Remove];
        changes.extend([Role::Viewer, Role::Member, Role::Admin].map(MemberChange::SetRole));
        for change in changes {
            let decided = change.check(Role::Owner, last(is_oneself));
            assert_eq!(decided, Err(MemberRefusal::LastOwner), "{change:?}");
        }
        let stays = MemberChange::SetRole(Role::Owner);
        assert_eq!(stays.check(Role::Owner, last(is_oneself)), Ok(()));
    }
}

#[test]
fn everybody_may_leave_who_is_not_the_last_owner() {
    for role in Role::ALL {
        let oneself = Standing { role, is_oneself: true, is_only_owner: false };
        assert_eq!(MemberChange::Remove.check(role, oneself), Ok(()), "{role}");
    }
}

#[test]
fn nobody_makes_themselves_more_than_they_are() {
    for role in Role::ALL {
        let oneself = Standing { role, is_oneself: true, is_only_owner: false };
        for wanted in Role::ALL.into_iter().filter(|wanted| role < *wanted) {
            assert!(MemberChange::SetRole(wanted).check(role, oneself).is_err(), "{role} {wanted}");
        }
    }
}

fn caller(world: &World, role: Role) -> Principal {
    Principal { role, ..world.principal(role.permissions(), ProjectReach::All) }
}

#[test]
fn a_role_above_the_granters_own_is_not_granted() {
    let world = World::new();
    for own in Role::ALL {
        for wanted in Role::ALL {
            let decided = check_admission(&caller(&world, own), wanted);
            let expected =
                if own.may_grant(wanted) { Ok(()) } else { Err(MemberRefusal::AboveOwn { own }) };
            assert_eq!(decided, expected, "{own} {wanted}");
        }
    }
}

#[test]
fn a_credential_gives_away_only_what_it_has_itself() {
    let world = World::new();
    let only = PermissionSet::of(&[Permission::MembersRead, Permission::MembersWrite]);
    let narrow = Principal { permissions: only, ..caller(&world, Role::Owner) };
    for wanted in Role::ALL {
        let decided = check_admission(&narrow, wanted);
        let permission = Permission::ProjectsRead;
        assert_eq!(decided, Err(MemberRefusal::TooBroad { permission }), "{wanted}");
    }
    let permissions = only.union(Role::Member.permissions());
    let wider = Principal { permissions, ..caller(&world, Role::Owner) };
    assert_eq!(check_admission(&wider, Role::Member), Ok(()));
    assert!(check_admission(&wider, Role::Admin).is_err());
}

struct Anything;

impl Checks for Anything {
    fn allow(&self, _: Permission, _: Target) -> Result<bool, OutOfBudget> {
        Ok(true)
    }
}

#[test]
fn a_credential_with_limits_that_a_member_would_not_have_lets_nobody_in() {
    let world = World::new();
    let restriction = Some(Restriction::new(Arc::new(Anything)));
    let narrowed = Principal { restriction, ..caller(&world, Role::Owner) };
    let mut bound = caller(&world, Role::Owner);
    if let Credential::ApiKey { addresses, .. } = &mut bound.credential {
        *addresses = AddressReach::from(Some(vec!["203.0.113.0/24".parse().unwrap()]));
    }
    for limited in [narrowed, bound] {
        assert_eq!(check_admission(&limited, Role::Viewer), Err(MemberRefusal::Bound));
    }
}
