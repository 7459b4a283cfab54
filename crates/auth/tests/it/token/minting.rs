//! A new token is never broader than its maker.

use chrono::TimeDelta;
use windlass_auth::{
    AddressReach, Credential, MintError, MintTokenError, Network, NewToken, Permission,
    PermissionSet, ProjectReach, Role, TokenPurpose, inspect, mint_token,
};
use windlass_domain::{Clock as _, ProjectId};

use super::support::{TokenWorld, everything, shows};

#[test]
fn a_token_says_what_it_is_in_words_that_everybody_can_read() {
    let world = TokenWorld::new();
    let project = world.world.project();
    let request = NewToken {
        permissions: Some(vec![Permission::ProjectsRead, Permission::LogsRead]),
        is_read_only: true,
        project_ids: Some(vec![project]),
        allowed_addresses: Some(vec!["192.0.2.0/24".parse().unwrap()]),
        ..everything()
    };
    let minted = world.mint(request, Role::Member).unwrap();

    let inspection = inspect(minted.token.expose()).unwrap();
    assert_eq!(inspection.root_key, Some(1));
    assert_eq!(inspection.expires_at, Some(minted.record.expires_at));
    let [block] = &inspection.blocks[..] else { panic!("one block: {inspection:?}") };
    let expected = format!(
        "account(\"{}\");\nuser(\"{}\");\ntoken(\"{}\");\n\
         right({{\"logs:read\", \"projects:read\"}});\nprojects({{\"{project}\"}});\n\
         check if operation(\"read\");\n\
         check if network($n), {{\"192.0.2.0/24\"}}.contains($n);\n\
         check if time($t), $t < 2028-09-27T00:00:00Z;\n",
        world.world.organization, world.world.user, minted.record.id,
    );
    assert_eq!(block.source, expected);
    assert_eq!(block.revocation_id, minted.record.revocation_id);
}

#[test]
fn what_nothing_is_said_of_is_as_wide_as_the_creator_for_a_thousand_days() {
    let world = TokenWorld::new();
    let minted = world.mint(everything(), Role::Viewer).unwrap();
    let source = &inspect(minted.token.expose()).unwrap().blocks[0].source;

    for permission in Permission::ALL {
        let is_granted = source.contains(&format!("\"{permission}\""));
        assert_eq!(is_granted, Role::Viewer.permissions().contains(permission), "{permission}");
    }
    assert_eq!(minted.record.expires_at - world.world.clock.now(), TimeDelta::days(1000));
    assert_eq!(minted.record.created_by, world.world.user);
}

#[test]
fn a_token_grants_nothing_that_its_creator_lacks() {
    let world = TokenWorld::new();
    let request = NewToken { permissions: Some(vec![Permission::ProjectsWrite]), ..everything() };
    let refused = world.mint(request, Role::Viewer).unwrap_err();

    let limit = MintError::TooBroad { permission: Permission::ProjectsWrite };
    assert!(
        matches!(refused, MintTokenError::Limits(found) if found.to_string() == limit.to_string())
    );
}

#[test]
fn the_creators_projects_and_life_are_the_tokens_limits() {
    let world = TokenWorld::new();
    let (ours, theirs) = (world.world.project(), world.world.project());
    let bound = world.world.principal(PermissionSet::ALL, ProjectReach::Only([ours].into()));
    let mint = |projects: Option<Vec<ProjectId>>| {
        let request = NewToken { project_ids: projects, ..everything() };
        mint_token(request, &bound, &world.keys, world.fx()).map(|_| ())
    };
    assert!(mint(Some(vec![ours])).is_ok());
    assert!(matches!(mint(None), Err(MintTokenError::Limits(MintError::Unbound))));
    let out_of_reach = mint(Some(vec![theirs]));
    assert!(matches!(out_of_reach, Err(MintTokenError::Limits(MintError::OutOfReach { .. }))));

    let now = world.world.clock.now();
    for (expires_at, works) in [(now, false), (now + TimeDelta::seconds(1), true)] {
        let request = NewToken { expires_at: Some(expires_at), ..everything() };
        assert_eq!(world.mint(request, Role::Owner).is_ok(), works);
    }
}

#[test]
fn a_token_works_from_nowhere_that_its_creator_does_not() {
    let world = TokenWorld::new();
    let network = |text: &str| vec![text.parse::<Network>().unwrap()];
    let mut bound = world.world.principal(PermissionSet::ALL, ProjectReach::All);
    let Credential::ApiKey { addresses, .. } = &mut bound.credential else { panic!("a key") };
    *addresses = AddressReach::from(Some(network("192.0.2.0/24")));
    let mint = |allowed_addresses| {
        let request = NewToken { allowed_addresses, ..everything() };
        mint_token(request, &bound, &world.keys, world.fx())
    };

    let same = mint(None).unwrap();
    let source = &inspect(same.token.expose()).unwrap().blocks[0].source;
    assert!(source.contains("{\"192.0.2.0/24\"}.contains($n)"), "{source}");
    assert!(mint(Some(network("192.0.2.7"))).is_ok());
    let elsewhere = mint(Some(network("198.51.100.0/24")));
    assert!(matches!(elsewhere, Err(MintTokenError::Limits(MintError::OutOfNetwork { .. }))));
}

#[test]
fn a_token_makes_no_tokens_for_it_can_be_narrowed_instead() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let verifier = world.verifier();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let holder = runtime.block_on(verifier.verify(&token.text, None)).unwrap();

    let refused = mint_token(everything(), &*holder, &world.keys, world.fx());
    assert!(matches!(refused, Err(MintTokenError::Limits(MintError::Restricted))));
}

#[test]
fn a_token_names_as_many_projects_and_addresses_as_fit() {
    let world = TokenWorld::new();
    let request = |projects: usize, networks: u8| NewToken {
        project_ids: Some((0..projects).map(|_| world.world.project()).collect()),
        allowed_addresses: Some(
            (0..networks)
                .map(|n| format!("2001:db8:0:{n:x}::/64").parse::<Network>().unwrap())
                .collect(),
        ),
        ..everything()
    };
    let minted = world.mint(request(50, 50), Role::Owner).unwrap();
    assert!(minted.token.expose().len() < 8 * 1024);
    let refused = world.mint(request(51, 50), Role::Owner);
    assert!(matches!(refused, Err(MintTokenError::TooLong)));
}

#[test]
fn nothing_that_can_be_printed_shows_a_token_or_a_root_key() {
    let world = TokenWorld::new();
    let purpose = TokenPurpose::Link { issuing_key: None };
    let minted = world.mint(NewToken { purpose, ..everything() }, Role::Owner).unwrap();
    let printed = format!("{minted:?} {:?} {:?} {:?}", minted.token, world.keys, world.verifier());

    assert!(!shows(&printed, &minted.token), "{printed}");
    let text = world.keys.to_text();
    let digits = secrecy::ExposeSecret::expose_secret(&text).split_once(' ').unwrap().1.trim();
    assert!(!printed.contains(digits), "{printed}");
}
