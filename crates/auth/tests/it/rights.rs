//! What permissions, scopes and roles mean, written out.

use windlass_auth::{Permission, PermissionSet, Role, Scope};

/// Permission, then who has it: the scopes `build submit update read`, then the roles
/// `viewer member admin owner`. The scope `admin` has all.
const TABLE: &str = "
    projects:read       - - - x   x x x x
    projects:write      - - - -   - x x x
    environments:read   - - - x   x x x x
    environments:write  - - - -   - x x x
    deployments:read    - - - x   x x x x
    deployments:write   - - - -   - x x x
    logs:read           - - - x   x x x x
    env_vars:read       - - - -   - x x x
    env_vars:write      - - - -   - x x x
    usage:read          - - - x   x x x x
    metrics:read        - - - x   x x x x
    api_keys:read       - - - x   x x x x
    api_keys:write      - - - -   - - x x
    tokens:read         - - - x   x x x x
    tokens:write        - - - -   - x x x
    members:read        - - - x   x x x x
    members:write       - - - -   - - x x
    organizations:read  - - - x   x x x x
    organizations:write - - - -   - - x x
    audit:read          - - - -   - - x x
    builds:read         x - - x   x x x x
    builds:write        x - - -   - x x x
    submissions:read    - x - x   x x x x
    submissions:write   - x - -   - x x x
    updates:read        - - - x   x x x x
    updates:write       - - x -   - x x x
";

fn rows() -> impl Iterator<Item = (Permission, Vec<bool>)> {
    TABLE.trim().lines().map(|line| {
        let mut columns = line.split_whitespace();
        let permission = columns.next().unwrap().parse().unwrap();
        (permission, columns.map(|column| column == "x").collect())
    })
}

#[test]
fn the_table_has_every_permission_once_and_in_order() {
    assert!(rows().map(|(permission, _)| permission).eq(Permission::ALL));
    assert!(Permission::ALL.is_sorted());
}

#[test]
fn scopes_and_roles_grant_what_the_table_says() {
    for (permission, expected) in rows() {
        let scopes = [Scope::Build, Scope::Submit, Scope::Update, Scope::Read];
        let roles = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];
        let granted: Vec<bool> = scopes
            .map(Scope::permissions)
            .into_iter()
            .chain(roles.map(Role::permissions))
            .map(|set| set.contains(permission))
            .collect();
        assert_eq!(granted, expected, "{permission}");
        assert!(Scope::Admin.permissions().contains(permission));
    }
}

#[test]
fn a_permission_taken_as_a_scope_grants_itself_alone() {
    for permission in Permission::ALL {
        let granted = Scope::Permission(permission).permissions();
        assert!(granted.iter().eq([permission]));
    }
}

#[test]
fn nobody_lets_anybody_in_above_themselves() {
    let may: Vec<(Role, Vec<Role>)> = Role::ALL
        .map(|role| (role, Role::ALL.into_iter().filter(|other| role.may_grant(*other)).collect()))
        .into();
    assert_eq!(
        may,
        [
            (Role::Viewer, vec![]),
            (Role::Member, vec![]),
            (Role::Admin, vec![Role::Viewer, Role::Member, Role::Admin]),
            (Role::Owner, vec![Role::Viewer, Role::Member, Role::Admin, Role::Owner]),
        ]
    );
}

#[test]
fn variables_and_the_audit_log_are_confidential() {
    let shown: Vec<Permission> =
        Permission::ALL.into_iter().filter(|permission| permission.is_confidential()).collect();
    assert_eq!(shown, [Permission::EnvVarsRead, Permission::AuditRead]);
}

#[test]
fn names_round_trip_as_text_and_as_json() {
    for permission in Permission::ALL {
        assert_eq!(permission.name().parse(), Ok(permission));
        assert!(!permission.description().is_empty());
        let json = serde_json::to_string(&permission).unwrap();
        assert_eq!(json, format!("\"{permission}\""));
        assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), permission);
    }
    for scope in Scope::ALL {
        assert_eq!(scope.to_string().parse(), Ok(scope));
        let json = serde_json::to_string(&scope).unwrap();
        assert_eq!(json, format!("\"{scope}\""));
        assert_eq!(serde_json::from_str::<Scope>(&json).unwrap(), scope);
    }
}

#[test]
fn all_scopes_are_distinct_and_complete() {
    let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    assert_eq!(names[..5], ["build", "submit", "update", "admin", "read"]);
    assert!(names[5..].iter().copied().eq(Permission::ALL.map(Permission::name)));
}

#[test]
fn what_is_no_scope_is_refused() {
    for text in ["", "Build", "build ", "*", "projects", "projects:*", "projects:read,build"] {
        assert!(text.parse::<Scope>().is_err(), "{text}");
        assert!(serde_json::from_value::<Scope>(text.into()).is_err(), "{text}");
        assert!(text.parse::<Permission>().is_err(), "{text}");
    }
}

#[test]
fn sets_behave_like_sets() {
    use Permission::{BuildsRead, BuildsWrite, LogsRead};
    let builds = PermissionSet::of(&[BuildsWrite, BuildsRead, BuildsRead]);
    let reads: PermissionSet = [BuildsRead, LogsRead].into_iter().collect();

    assert!(builds.iter().eq([BuildsRead, BuildsWrite]));
    assert!(builds.union(reads).iter().eq([LogsRead, BuildsRead, BuildsWrite]));
    assert!(builds.intersection(reads).iter().eq([BuildsRead]));
    assert!(builds.intersection(reads).is_subset(builds));
    assert!(!builds.is_subset(reads));
    assert!(PermissionSet::EMPTY.is_subset(builds) && PermissionSet::EMPTY.is_empty());
    assert!(PermissionSet::ALL.iter().eq(Permission::ALL));
    assert_eq!(format!("{builds:?}"), "{BuildsRead, BuildsWrite}");

    let mut grown = PermissionSet::EMPTY;
    grown.insert(LogsRead);
    assert!(grown.contains(LogsRead) && !grown.contains(BuildsRead));
}
