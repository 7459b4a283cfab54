//! Sessions that are what they say.

use chrono::TimeDelta;
use futures_util::future::join;
use windlass_auth::{
    Permission, Role, SessionEntry, SessionError, SessionKeys, Target, authorize, session_key_of,
    sign_session,
};
use windlass_domain::{Clock as _, Id};

use super::support::{IDLE, World};

#[tokio::test]
async fn a_person_in_a_browser_may_do_what_their_role_allows() {
    let world = World::new();
    for role in Role::ALL {
        let (verifier, entry, text) = world.with_cookie(&[role]);
        let principal = verifier.verify(&text, None).await.unwrap();
        assert_eq!((principal.user_id, principal.role), (entry.record.user_id, role));
        assert_eq!(principal.permissions, role.permissions());
        for permission in Permission::ALL {
            let target = Target::organization(principal.organization_id);
            let is_allowed = authorize(&principal, permission, target).is_ok();
            assert_eq!(
                is_allowed,
                role.permissions().contains(permission),
                "{role:?} {permission}"
            );
        }
    }
}

#[tokio::test]
async fn a_session_opens_each_organization_of_its_person_and_no_other() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Viewer, Role::Owner]);
    let first = verifier.verify(&text, None).await.unwrap();
    assert_eq!(first.organization_id, entry.memberships[0].organization_id);
    for place in &entry.memberships {
        let principal = verifier.verify(&text, Some(place.organization_id)).await.unwrap();
        assert_eq!(
            (principal.organization_id, principal.role),
            (place.organization_id, place.role)
        );
    }
    let refused = verifier.verify(&text, Some(Id::generate(world.fx()))).await;
    assert!(matches!(refused, Err(SessionError::WrongOrganization)), "{refused:?}");
    assert_eq!(world.directory.reads(), 1);
}

#[tokio::test]
async fn a_session_ends_when_it_is_ended_and_the_verifier_is_told() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Member]);
    let (other, other_text) = {
        let entry = world.signed_in(&[Role::Member]);
        let text = sign_session(&entry.record, &verifier.keys()).unwrap();
        (entry, text)
    };
    for text in [text.as_str(), other_text.expose()] {
        assert!(verifier.verify(text, None).await.is_ok());
    }
    world.directory.end(entry.record.id);
    verifier.forget(entry.record.id);
    assert!(matches!(verifier.verify(&text, None).await, Err(SessionError::Invalid)));

    world.directory.end(other.record.id);
    assert!(verifier.verify(other_text.expose(), None).await.is_ok(), "nobody has told it yet");
    verifier.forget_sessions_of(other.record.user_id);
    assert!(verifier.verify(other_text.expose(), None).await.is_err());
}

#[tokio::test]
async fn a_change_that_nobody_tells_of_is_noticed_after_a_while() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Owner]);
    assert!(verifier.verify(&text, None).await.is_ok());
    world.directory.end(entry.record.id);
    world.clock.advance(TimeDelta::minutes(1));
    assert!(verifier.verify(&text, None).await.is_err());
}

#[tokio::test]
async fn somebody_who_belongs_nowhere_any_more_is_not_let_in() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Owner]);
    assert!(verifier.verify(&text, None).await.is_ok());
    world.directory.put(&SessionEntry { memberships: vec![], ..entry.clone() });
    verifier.forget_sessions_of(entry.record.user_id);
    assert!(matches!(verifier.verify(&text, None).await, Err(SessionError::Invalid)));
}

#[tokio::test]
async fn a_session_that_ends_while_it_is_read_is_not_let_in_afterwards() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Owner]);
    let gate = world.directory.hold();
    let (result, ()) = join(verifier.verify(&text, None), async {
        gate.reached().await;
        world.directory.end(entry.record.id);
        verifier.forget(entry.record.id);
        gate.open();
    })
    .await;
    assert!(matches!(result, Err(SessionError::Invalid)), "{result:?}");
    assert_eq!(world.directory.reads(), 2);
}

#[tokio::test]
async fn a_session_ends_at_its_time_and_when_it_is_not_used() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Owner]);
    let nearly = IDLE - TimeDelta::seconds(1);
    // Used in time again and again, it lives on, although nobody has written the uses down.
    for _ in 0..4 {
        world.clock.advance(nearly);
        assert!(verifier.verify(&text, None).await.is_ok());
    }
    assert_eq!(verifier.taken_uses(), [(entry.record.id, world.clock.now())]);
    assert_eq!(verifier.taken_uses(), []);
    let rest = entry.record.expires_at - world.clock.now();
    assert!(rest < IDLE);
    world.clock.advance(rest - TimeDelta::seconds(1));
    assert!(verifier.verify(&text, None).await.is_ok());
    world.clock.advance(TimeDelta::seconds(1));
    assert!(matches!(verifier.verify(&text, None).await, Err(SessionError::Invalid)));

    let (verifier, _, text) = world.with_cookie(&[Role::Owner]);
    world.clock.advance(IDLE);
    assert!(matches!(verifier.verify(&text, None).await, Err(SessionError::Invalid)));
}

#[tokio::test]
async fn keys_succeed_one_another_and_old_ones_verify_until_they_are_dropped() {
    let world = World::new();
    let mut keys = SessionKeys::generate(&world.entropy);
    let entry = world.signed_in(&[Role::Owner]);
    let old = sign_session(&entry.record, &keys).unwrap();
    let line = keys.line(1).unwrap();
    assert_eq!(keys.rotate(&world.entropy), 2);
    let new = sign_session(&entry.record, &keys).unwrap();
    assert_eq!([&old, &new].map(|text| session_key_of(text.expose())), [Some(1), Some(2)]);

    let verifier = world.verifier(keys);
    assert!(verifier.verify(old.expose(), None).await.is_ok());
    assert!(verifier.verify(new.expose(), None).await.is_ok());
    verifier.use_keys(SessionKeys::parse(&line).unwrap());
    assert!(verifier.verify(old.expose(), None).await.is_ok());
    assert!(verifier.verify(new.expose(), None).await.is_err());
}

#[tokio::test]
async fn nothing_that_can_be_printed_shows_a_session_or_its_key() {
    let world = World::new();
    let (verifier, entry, text) = world.with_cookie(&[Role::Owner]);
    let principal = verifier.verify(&text, None).await.unwrap();
    let refused = verifier.verify("eyJhbGciOiJub25lIn0.e30.", None).await.unwrap_err();
    let signed = sign_session(&entry.record, &verifier.keys()).unwrap();
    let printed =
        format!("{verifier:?} {:?} {principal:?} {refused:?} {signed:?}", verifier.keys());
    let signature = text.rsplit('.').next().unwrap();
    assert!(!printed.contains(signature) && !printed.contains("eyJ"), "{printed}");
}
