//! Promises about the audit log.

use chrono::TimeDelta;
use windlass_auth::{
    Actor, AuditEntry, AuditObject, AuditOutcome, CredentialKind, SessionRecord, TokenRecord,
};
use windlass_domain::{Environment, Id, Organization, PageRequest, Project, User};

use super::world::World;
use crate::{AuditFilter, Store};

fn entry(world: &World<'_>, organization: &Organization) -> AuditEntry {
    AuditEntry {
        id: Id::generate(world.fx()),
        organization_id: organization.id,
        at: world.now(),
        actor: None,
        action: "authenticate".to_owned(),
        permission: None,
        object: None,
        outcome: AuditOutcome::Refused,
        times: 4_000_000_000,
        request_id: None,
        address: None,
    }
}

async fn append(world: &World<'_>, entries: &[AuditEntry]) {
    let mut uow = world.write().await;
    uow.audit().append(entries).await.unwrap();
    uow.commit().await.unwrap();
}

async fn list(
    world: &World<'_>,
    organization: &Organization,
    filter: &AuditFilter,
) -> Vec<AuditEntry> {
    let mut uow = world.read().await;
    uow.audit().list(organization.id, filter, PageRequest::default()).await.unwrap().items
}

pub async fn a_line_survives_storage(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let user_id = Id::<User>::generate(world.fx());
    let actor = |kind, id: String| Actor::Credential {
        kind,
        id,
        user_id,
        label: "API key \"Größe & Co\"".to_owned(),
    };
    let actors = [
        actor(CredentialKind::ApiKey, "key_1".to_owned()),
        actor(CredentialKind::Token, Id::<TokenRecord>::generate(world.fx()).to_string()),
        actor(CredentialKind::Session, Id::<SessionRecord>::generate(world.fx()).to_string()),
        Actor::Person(user_id),
        Actor::Operator,
        Actor::Forge { label: "a push on GitHub".to_owned() },
        Actor::Platform,
    ];
    let mut newest_first = vec![entry(&world, &organization)];
    for (actor, address) in actors.into_iter().zip([
        Some("203.0.113.7"),
        Some("2001:db8::7"),
        None,
        None,
        None,
        None,
        None,
    ]) {
        world.tick();
        let environment_id = Some(Id::<Environment>::generate(world.fx()));
        let project = AuditObject::new(Id::<Project>::generate(world.fx()));
        newest_first.insert(
            0,
            AuditEntry {
                actor: Some(actor),
                permission: Some("projects:write".to_owned()),
                object: Some(AuditObject { environment_id, ..project }),
                outcome: AuditOutcome::Done,
                times: 1,
                request_id: Some("test".to_owned()),
                address: address.map(|text| text.parse().unwrap()),
                ..entry(&world, &organization)
            },
        );
    }
    append(&world, &newest_first).await;
    append(&world, &[]).await;

    assert_eq!(list(&world, &organization, &AuditFilter::default()).await, newest_first);
}

pub async fn another_organization_never_finds_a_line(store: &dyn Store) {
    let world = World::new(store);
    let (ours, theirs) = (world.organization().await, world.organization().await);
    append(&world, &[entry(&world, &ours)]).await;
    assert_eq!(list(&world, &ours, &AuditFilter::default()).await.len(), 1);
    assert_eq!(list(&world, &theirs, &AuditFilter::default()).await, []);
}

pub async fn pages_of_lines_follow_one_another_without_gaps(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        newest_first.insert(0, entry(&world, &organization));
        world.tick();
    }
    append(&world, &newest_first).await;

    let all = AuditFilter::default();
    let mut uow = world.read().await;
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.audit().list(organization.id, &all, first).await.unwrap();
    assert!(first.items == newest_first[..2] && first.has_next);
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = uow.audit().list(organization.id, &all, rest).await.unwrap();
    assert!(rest.items == newest_first[2..] && !rest.has_next);
}

pub async fn lines_are_found_by_actor_action_outcome_target_and_time(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let (ada, project) = (Id::<User>::generate(world.fx()), Id::<Project>::generate(world.fx()));
    let nobody = entry(&world, &organization);
    let second = world.tick();
    let by_key = AuditEntry {
        actor: Some(Actor::Credential {
            kind: CredentialKind::ApiKey,
            id: "key_1".to_owned(),
            user_id: ada,
            label: "ci".to_owned(),
        }),
        action: "create_project".to_owned(),
        outcome: AuditOutcome::Done,
        object: Some(AuditObject::new(project)),
        ..entry(&world, &organization)
    };
    let third = world.tick();
    let in_person = AuditEntry { actor: Some(Actor::Person(ada)), ..entry(&world, &organization) };
    append(&world, &[nobody.clone(), by_key.clone(), in_person.clone()]).await;

    let all = AuditFilter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (AuditFilter { actor: Some(ada.to_string()), ..all() }, vec![&in_person, &by_key]),
        (AuditFilter { actor: text("key_1"), ..all() }, vec![&by_key]),
        (AuditFilter { actor: text("key_2"), ..all() }, vec![]),
        (AuditFilter { action: text("authenticate"), ..all() }, vec![&in_person, &nobody]),
        (AuditFilter { outcome: Some(AuditOutcome::Done), ..all() }, vec![&by_key]),
        (AuditFilter { target: Some(project.to_string()), ..all() }, vec![&by_key]),
        (AuditFilter { from: Some(second), ..all() }, vec![&in_person, &by_key]),
        (AuditFilter { to: Some(second), ..all() }, vec![&nobody]),
        (AuditFilter { from: Some(second), to: Some(third), ..all() }, vec![&by_key]),
        (
            AuditFilter { from: Some(second + TimeDelta::microseconds(1)), ..all() },
            vec![&in_person],
        ),
        (
            AuditFilter { to: Some(second + TimeDelta::microseconds(1)), ..all() },
            vec![&by_key, &nobody],
        ),
        (
            AuditFilter { action: text("authenticate"), actor: Some(ada.to_string()), ..all() },
            vec![&in_person],
        ),
    ] {
        let found = list(&world, &organization, &filter).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

pub async fn old_lines_go_and_the_others_stay(store: &dyn Store) {
    let world = World::new(store);
    let organization = world.organization().await;
    let old = entry(&world, &organization);
    let limit = world.tick();
    let young = entry(&world, &organization);
    append(&world, &[old, young.clone()]).await;

    let mut uow = world.write().await;
    uow.audit().prune_of_everyone(limit).await.unwrap();
    uow.commit().await.unwrap();

    assert_eq!(list(&world, &organization, &AuditFilter::default()).await, [young]);
}
