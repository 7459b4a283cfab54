//! New keys, and what they must not be.

use std::sync::Arc;

use chrono::TimeDelta;
use windlass_auth::{
    BcryptCost, Checks, Credential, MintError, NewApiKey, OutOfBudget, Permission, PermissionSet,
    PlainKey, Principal, ProjectReach, Restriction, Role, Scope, SessionId, Target,
};
use windlass_domain::Clock as _;

use crate::support::{World, request};

#[tokio::test]
async fn a_minted_key_is_stored_as_it_was_asked_for() {
    let world = World::new();
    let (now, project) = (world.clock.now(), world.project());
    let wanted = NewApiKey {
        scopes: vec![Scope::Read, Scope::Build, Scope::Read],
        project_ids: Some(vec![project, project]),
        expires_at: Some(now + TimeDelta::days(1)),
        ..request(&[])
    };
    let minted = world.mint(wanted, world.member(Role::Member)).await.unwrap();
    let record = minted.record;

    assert_eq!(record.scopes, ["build", "read"]);
    assert_eq!(record.project_ids, Some(vec![project]));
    assert_eq!(record.expires_at, Some(now + TimeDelta::days(1)));
    assert_eq!((record.organization_id, record.created_by), (world.organization, world.user));
    assert_eq!((record.created_at, record.revoked_at, record.last_used_at), (now, None, None));
    assert!(minted.key.expose().starts_with(&record.prefix));
    assert_eq!(world.format.parse(minted.key.expose()).unwrap().lookup, record.lookup);
    assert!(world.hasher.verify(&minted.key, &record.hash).await.unwrap());
}

#[tokio::test]
async fn no_role_mints_what_it_does_not_have() {
    let world = World::new();
    for role in Role::ALL {
        for permission in Permission::ALL {
            let wanted = request(&[Scope::Permission(permission)]);
            match world.mint(wanted, world.member(role)).await {
                Ok(_) => assert!(role.permissions().contains(permission)),
                Err(MintError::TooBroad { permission: lacking }) => {
                    assert_eq!(lacking, permission);
                    assert!(!role.permissions().contains(permission));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_key_does_not_mint_a_broader_key() {
    let world = World::new();
    let held = PermissionSet::of(&[Permission::ApiKeysWrite, Permission::BuildsRead]);
    let creator = world.principal(held, ProjectReach::All);

    assert!(world.mint(request(&["builds:read".parse().unwrap()]), &creator).await.is_ok());
    for (scope, lacking) in [
        (Scope::Build, Permission::BuildsWrite),
        (Scope::Admin, Permission::ProjectsRead),
        (Scope::Read, Permission::ProjectsRead),
    ] {
        match world.mint(request(&[scope]), &creator).await {
            Err(MintError::TooBroad { permission }) => assert_eq!(permission, lacking),
            other => panic!("{scope}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_key_without_scopes_is_made_and_grants_nothing() {
    let world = World::new();
    let key = world.stored_key(request(&[])).await;

    let principal = world.verifier().verify(&key.text, None).await.unwrap();
    assert_eq!(principal.permissions, PermissionSet::EMPTY);
}

#[tokio::test]
async fn a_bound_key_mints_only_keys_within_its_reach() {
    let world = World::new();
    let (own, other) = (world.project(), world.project());
    let creator = world.principal(PermissionSet::ALL, ProjectReach::Only([own].into()));
    let within =
        |projects: &[_]| NewApiKey { project_ids: Some(projects.to_vec()), ..request(&[]) };

    assert!(world.mint(within(&[own]), &creator).await.is_ok());
    assert!(world.mint(within(&[]), &creator).await.is_ok());
    assert!(matches!(
        world.mint(within(&[own, other]), &creator).await,
        Err(MintError::OutOfReach { project }) if project == other
    ));
    assert!(matches!(world.mint(request(&[]), &creator).await, Err(MintError::Unbound)));
}

#[tokio::test]
async fn a_key_does_not_outlive_the_one_that_made_it() {
    let world = World::new();
    let limit = world.clock.now() + TimeDelta::hours(1);
    let mut creator = world.principal(PermissionSet::ALL, ProjectReach::All);
    if let Credential::ApiKey { expires_at, .. } = &mut creator.credential {
        *expires_at = Some(limit);
    }
    let until = |expires_at| NewApiKey { expires_at, ..request(&[]) };

    assert!(world.mint(until(Some(limit)), &creator).await.is_ok());
    for too_long in [None, Some(limit + TimeDelta::microseconds(1))] {
        assert!(matches!(
            world.mint(until(too_long), &creator).await,
            Err(MintError::Outlives { limit: at }) if at == limit
        ));
    }
}

#[tokio::test]
async fn a_person_who_has_signed_in_makes_keys_that_outlive_the_session() {
    let world = World::new();
    let expires_at = world.clock.now() + TimeDelta::hours(1);
    let credential = Credential::Session { id: SessionId::generate(world.fx()), expires_at };
    let creator =
        Principal { credential, ..world.principal(PermissionSet::ALL, ProjectReach::All) };

    let minted = world.mint(request(&[Scope::Read]), &creator).await.unwrap();
    assert_eq!(minted.record.expires_at, None);
}

#[tokio::test]
async fn a_key_that_has_expired_already_is_not_made() {
    let world = World::new();
    let wanted = NewApiKey { expires_at: Some(world.clock.now()), ..request(&[]) };

    let refused = world.mint(wanted, world.member(Role::Owner)).await;
    assert!(matches!(refused, Err(MintError::Expired)));
}

#[tokio::test]
async fn a_key_names_a_bounded_number_of_projects() {
    let world = World::new();
    let projects = |count| NewApiKey {
        project_ids: Some((0..count).map(|_| world.project()).collect()),
        ..request(&[])
    };

    assert!(world.mint(projects(100), world.member(Role::Owner)).await.is_ok());
    let refused = world.mint(projects(101), world.member(Role::Owner)).await;
    assert!(matches!(refused, Err(MintError::TooManyProjects)));
}

#[tokio::test]
async fn a_key_that_bcrypt_would_cut_off_is_not_hashed() {
    let world = World::new();
    assert!(world.hasher.hash(&PlainKey::from("x".repeat(71))).await.is_ok());
    assert!(world.hasher.hash(&PlainKey::from("x".repeat(72))).await.is_err());
}

#[test]
fn costs_that_are_too_cheap_or_never_end_are_refused() {
    assert!(BcryptCost::new(3).is_err());
    assert!(BcryptCost::new(31).is_err());
    assert_eq!(BcryptCost::new(10), Ok(BcryptCost::default()));
}

#[tokio::test]
async fn a_credential_with_checks_of_its_own_makes_no_keys() {
    let world = World::new();
    let mut creator = world.principal(PermissionSet::ALL, ProjectReach::All);
    creator.restriction = Some(Restriction::new(Arc::new(Unchecked)));

    let refused = world.mint(request(&[]), &creator).await;
    assert!(matches!(refused, Err(MintError::Restricted)));
}

struct Unchecked;

impl Checks for Unchecked {
    fn allow(&self, _: Permission, _: Target) -> Result<bool, OutOfBudget> {
        Ok(true)
    }
}
