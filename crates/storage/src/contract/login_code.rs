//! Promises about the codes with which programs get their tokens.

use chrono::TimeDelta;
use windlass_auth::{LoginCodeRecord, NewLoginCode, OneTimeHash};

use super::world::{World, after_commit_of};
use crate::Store;

async fn code(world: &World<'_>) -> LoginCodeRecord {
    let organization = world.organization().await;
    let user = world.owner(&organization).await;
    let new = NewLoginCode {
        challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap(),
        redirect: "http://127.0.0.1:49152/callback".parse().unwrap(),
        label: "windlass on „Größe“".parse().unwrap(),
        life: TimeDelta::days(7),
    };
    let record = new.mint(user.id, organization.id, world.fx()).record;
    let mut uow = world.write().await;
    uow.login_codes().insert(&record).await.unwrap();
    uow.commit().await.unwrap();
    record
}

pub async fn a_code_survives_storage(store: &dyn Store) {
    let world = World::new(store);
    let (code, other) = (code(&world).await, code(&world).await);
    let mut uow = world.read().await;
    for code in [code, other] {
        let found = uow.login_codes().find_of_everyone(&code.code).await.unwrap();
        assert_eq!(found, Some(code));
    }
    let unknown = OneTimeHash::of("unknown");
    assert_eq!(uow.login_codes().find_of_everyone(&unknown).await.unwrap(), None);
}

pub async fn of_two_who_use_a_code_at_once_one_gets_it(store: &dyn Store) {
    let world = World::new(store);
    let (code, other) = (code(&world).await, code(&world).await);
    let mut first = world.write().await;
    let taken = first.login_codes().take_of_everyone(&code.code).await.unwrap();
    assert_eq!(taken.as_ref(), Some(&code));
    let second = async {
        let mut uow = world.write().await;
        uow.login_codes().take_of_everyone(&code.code).await.unwrap()
    };
    assert_eq!(after_commit_of(first, second).await, None);
    let mut uow = world.read().await;
    assert_eq!(uow.login_codes().find_of_everyone(&code.code).await.unwrap(), None);
    assert!(uow.login_codes().find_of_everyone(&other.code).await.unwrap().is_some());
}

pub async fn the_codes_of_one_person_are_removed_and_no_others(store: &dyn Store) {
    let world = World::new(store);
    let (code, other) = (code(&world).await, code(&world).await);
    let mut uow = world.write().await;
    uow.login_codes().remove_all_of(code.user_id).await.unwrap();
    assert_eq!(uow.login_codes().find_of_everyone(&code.code).await.unwrap(), None);
    assert_eq!(uow.login_codes().find_of_everyone(&other.code).await.unwrap(), Some(other));
}

pub async fn codes_go_when_they_have_expired(store: &dyn Store) {
    let world = World::new(store);
    let code = code(&world).await;
    for (now, stays) in [(code.expires_at - TimeDelta::seconds(1), true), (code.expires_at, false)]
    {
        let mut uow = world.write().await;
        uow.login_codes().prune_of_everyone(now).await.unwrap();
        uow.commit().await.unwrap();
        let found = world.read().await.login_codes().find_of_everyone(&code.code).await.unwrap();
        assert_eq!(found.is_some(), stays);
    }
}
