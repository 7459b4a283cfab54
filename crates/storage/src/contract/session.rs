//! Promises about browser sessions.

use chrono::TimeDelta;
use windlass_auth::SessionRecord;
use windlass_domain::{Id, PageRequest, User};

use super::world::World;
use crate::Store;

async fn person(world: &World<'_>) -> User {
    let user = User::create("Ada".parse().unwrap(), world.fx());
    let mut uow = world.write().await;
    uow.organizations().insert_user(&user).await.unwrap();
    uow.commit().await.unwrap();
    user
}

async fn session(world: &World<'_>, user: &User) -> SessionRecord {
    let now = world.tick();
    let session = SessionRecord {
        id: Id::generate(world.fx()),
        user_id: user.id,
        created_at: now,
        expires_at: now + TimeDelta::days(30),
        last_seen_at: now,
        user_agent: "Mozilla/5.0 „Größe“".to_owned(),
        address: Some("2001:db8::7".parse().unwrap()),
    };
    let mut uow = world.write().await;
    uow.sessions().insert(&session).await.unwrap();
    uow.commit().await.unwrap();
    session
}

async fn is_there(world: &World<'_>, session: &SessionRecord) -> bool {
    let found = world.read().await.sessions().find_of_everyone(session.id).await.unwrap();
    found.is_some()
}

pub async fn a_session_survives_storage(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world).await;
    let session = session(&world, &user).await;
    let unknown = SessionRecord { id: Id::generate(world.fx()), address: None, ..session.clone() };
    let mut uow = world.write().await;
    assert_eq!(uow.sessions().find_of_everyone(unknown.id).await.unwrap(), None);
    uow.sessions().insert(&unknown).await.unwrap();
    for session in [session, unknown] {
        assert_eq!(uow.sessions().find_of_everyone(session.id).await.unwrap(), Some(session));
    }
}

pub async fn a_person_lists_and_ends_their_own_sessions_only(store: &dyn Store) {
    let world = World::new(store);
    let (ada, eve) = (person(&world).await, person(&world).await);
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        newest_first.insert(0, session(&world, &ada).await);
    }
    let others = session(&world, &eve).await;

    let mut uow = world.write().await;
    let first = PageRequest::new(None, Some(2)).unwrap();
    let first = uow.sessions().list(ada.id, first).await.unwrap();
    assert!(first.items == newest_first[..2] && first.has_next);
    let rest = PageRequest::new(Some(newest_first[1].id), Some(2)).unwrap();
    let rest = uow.sessions().list(ada.id, rest).await.unwrap();
    assert!(rest.items == newest_first[2..] && !rest.has_next);

    assert!(!uow.sessions().delete(eve.id, newest_first[0].id).await.unwrap());
    assert!(uow.sessions().delete(ada.id, newest_first[0].id).await.unwrap());
    assert!(!uow.sessions().delete(ada.id, newest_first[0].id).await.unwrap());
    uow.sessions().delete_others(ada.id, Some(newest_first[2].id)).await.unwrap();
    let left = uow.sessions().list(ada.id, PageRequest::default()).await.unwrap();
    assert_eq!(left.items, newest_first[2..]);
    uow.sessions().delete_others(ada.id, None).await.unwrap();
    let left = uow.sessions().list(ada.id, PageRequest::default()).await.unwrap();
    assert_eq!(left.items, []);
    uow.commit().await.unwrap();
    assert!(is_there(&world, &others).await);
}

pub async fn looks_are_noted_forwards_only(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world).await;
    let session = session(&world, &user).await;
    let (earlier, later) = (session.last_seen_at - TimeDelta::hours(1), world.tick());
    for at in [later, earlier] {
        let mut uow = world.write().await;
        let unknown = Id::generate(world.fx());
        uow.sessions().note_seen(&[(session.id, at), (unknown, at)]).await.unwrap();
        uow.commit().await.unwrap();
        let found = world.read().await.sessions().find_of_everyone(session.id).await.unwrap();
        assert_eq!(found.unwrap().last_seen_at, later);
    }
}

pub async fn sessions_go_when_they_are_over_or_unused(store: &dyn Store) {
    let world = World::new(store);
    let user = person(&world).await;
    let unused = session(&world, &user).await;
    world.clock.advance(TimeDelta::days(1));
    let lasting = session(&world, &user).await;
    let mut uow = world.write().await;
    uow.sessions().prune(world.now(), world.now() - TimeDelta::hours(1)).await.unwrap();
    uow.commit().await.unwrap();
    assert!(!is_there(&world, &unused).await && is_there(&world, &lasting).await);

    for (now, stays) in
        [(lasting.expires_at - TimeDelta::seconds(1), true), (lasting.expires_at, false)]
    {
        let mut uow = world.write().await;
        uow.sessions().prune(now, lasting.created_at).await.unwrap();
        uow.commit().await.unwrap();
        assert_eq!(is_there(&world, &lasting).await, stays);
    }
}
