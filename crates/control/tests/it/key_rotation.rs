//! A new key in the place of an old one.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use windlass_auth::{Credential, NewApiKey, Permission, Principal, Scope};
use windlass_control::{
    Caller, Control, ControlError, MOST_OVERLAP, Presentation, create_api_key, revoke_api_key,
    rotate_api_key,
};
use windlass_domain::{Clock as _, SystemClock};

use crate::{
    keys::key,
    support::{Platform, occasion},
};

async fn opens(control: &Control, text: &str) -> Result<Arc<Principal>, ControlError> {
    control.authenticate(Presentation::bearer(text)).await
}

async fn caller(control: &Control, text: &str) -> Caller {
    control.caller(opens(control, text).await.unwrap(), occasion())
}

#[tokio::test]
async fn a_rotated_key_has_a_successor_with_its_rights_and_limits_and_ends_at_once() {
    let platform = Platform::new("rotate").await;
    let control = &platform.control;
    let project = platform.project("Shop").await;
    let new = NewApiKey {
        project_ids: Some(vec![project.id]),
        allowed_addresses: Some(vec!["127.0.0.1".parse().unwrap()]),
        expires_at: Some(SystemClock.now() + TimeDelta::days(30)),
        ..key(&[Scope::Build, Scope::Read])
    };
    let old = create_api_key(control, &platform.owner, new).await.unwrap();
    let (id, zero) = (old.record.id, TimeDelta::zero());

    let new = rotate_api_key(control, &platform.owner, id, zero).await.unwrap();
    assert_ne!(new.key.expose(), old.key.expose());
    let limits = |key: &windlass_auth::ApiKeyRecord| {
        let key = key.clone();
        (
            key.name,
            key.scopes,
            key.project_ids,
            key.allowed_addresses,
            key.expires_at,
            key.created_by,
        )
    };
    assert_eq!(limits(&new.record), limits(&old.record));

    let from_here = |text| Presentation {
        address: Some("127.0.0.1".parse().unwrap()),
        ..Presentation::bearer(text)
    };
    control.authenticate(from_here(new.key.expose())).await.unwrap();
    let refused = control.authenticate(from_here(old.key.expose())).await;
    assert!(matches!(refused, Err(ControlError::InvalidCredential(_))), "{refused:?}");
    let again = rotate_api_key(control, &platform.owner, id, zero).await;
    assert!(
        matches!(again, Err(ControlError::Conflict { code: "key_not_active", .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn an_old_key_works_on_for_the_overlap_and_no_longer() {
    let platform = Platform::new("overlap").await;
    let control = &platform.control;
    let old = create_api_key(control, &platform.owner, key(&[Scope::Read])).await.unwrap();
    let old_text = old.key.expose();
    opens(control, old_text).await.unwrap();

    let overlap = TimeDelta::seconds(2);
    let new = rotate_api_key(control, &platform.owner, old.record.id, overlap).await.unwrap();
    opens(control, new.key.expose()).await.unwrap();
    let end = opens(control, old_text).await.unwrap().credential.expires_at().unwrap();
    platform.until("the old key ends", || async { opens(control, old_text).await.err() }).await;
    assert!(end <= SystemClock.now());
    opens(control, new.key.expose()).await.unwrap();
}

#[tokio::test]
async fn an_overlap_neither_goes_on_for_ever_nor_lengthens_the_life_of_a_key() {
    let platform = Platform::new("overlap_bounds").await;
    let control = &platform.control;
    let expires_at = SystemClock.now() + TimeDelta::hours(1);
    let new = NewApiKey { expires_at: Some(expires_at), ..key(&[Scope::Read]) };
    let old = create_api_key(control, &platform.owner, new).await.unwrap();
    for overlap in [TimeDelta::seconds(-1), MOST_OVERLAP + TimeDelta::seconds(1)] {
        let refused = rotate_api_key(control, &platform.owner, old.record.id, overlap).await;
        assert!(matches!(refused, Err(ControlError::Invalid { .. })), "{refused:?}");
    }

    rotate_api_key(control, &platform.owner, old.record.id, MOST_OVERLAP).await.unwrap();
    let principal = opens(control, old.key.expose()).await.unwrap();
    assert_eq!(principal.credential.expires_at(), Some(expires_at));
}

#[tokio::test]
async fn a_key_does_not_rotate_what_it_could_not_make() {
    let platform = Platform::new("rotate_broader").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let maker = Scope::Permission(Permission::ApiKeysWrite);
    let mine = create_api_key(control, owner, key(&[maker])).await.unwrap();
    let broad = create_api_key(control, owner, key(&[Scope::Admin])).await.unwrap();
    let narrow = create_api_key(control, owner, key(&[Scope::Read])).await.unwrap();
    let me = caller(control, mine.key.expose()).await;

    let refused = rotate_api_key(control, &me, broad.record.id, TimeDelta::zero()).await;
    assert!(matches!(refused, Err(ControlError::Forbidden(_))), "{refused:?}");
    opens(control, broad.key.expose()).await.expect("it is untouched");
    let it = caller(control, narrow.key.expose()).await;
    let refused = rotate_api_key(control, &it, narrow.record.id, TimeDelta::zero()).await;
    assert!(matches!(refused, Err(ControlError::Forbidden(_))), "not even itself: {refused:?}");

    let next = rotate_api_key(control, &me, mine.record.id, TimeDelta::zero()).await.unwrap();
    let me = opens(control, next.key.expose()).await.unwrap();
    assert!(matches!(me.credential, Credential::ApiKey { id, .. } if id == next.record.id));
}

#[tokio::test]
async fn a_short_lived_key_does_not_rotate_itself_a_longer_life() {
    let platform = Platform::new("rotate_longer").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let expires_at = Some(SystemClock.now() + TimeDelta::hours(1));
    let brief = NewApiKey { expires_at, ..key(&[Scope::Admin]) };
    let brief = create_api_key(control, owner, brief).await.unwrap();
    let lasting = create_api_key(control, owner, key(&[Scope::Admin])).await.unwrap();
    let me = caller(control, brief.key.expose()).await;

    let refused = rotate_api_key(control, &me, lasting.record.id, TimeDelta::zero()).await;
    assert!(
        matches!(refused, Err(ControlError::Conflict { code: "broader_than_caller", .. })),
        "{refused:?}"
    );
    let next = rotate_api_key(control, &me, brief.record.id, TimeDelta::zero()).await.unwrap();
    assert_eq!(next.record.expires_at, expires_at);
}

#[tokio::test]
async fn a_revoked_key_has_no_successor() {
    let platform = Platform::new("rotate_revoked").await;
    let (control, owner) = (&platform.control, &platform.owner);
    let old = create_api_key(control, owner, key(&[Scope::Read])).await.unwrap();
    revoke_api_key(control, owner, old.record.id).await.unwrap();

    let refused = rotate_api_key(control, owner, old.record.id, TimeDelta::zero()).await;
    assert!(matches!(refused, Err(ControlError::Conflict { .. })), "{refused:?}");
    let nothing = windlass_auth::ApiKeyId::from_uuid(platform.owner.organization().to_uuid());
    let unknown = rotate_api_key(control, owner, nothing, TimeDelta::zero()).await;
    assert!(matches!(unknown, Err(ControlError::NotFound("API key"))), "{unknown:?}");
}

#[tokio::test]
async fn a_key_that_is_used_where_hashing_is_dearer_is_stored_with_a_dearer_hash() {
    let platform = Platform::new("rehash").await;
    let old =
        create_api_key(&platform.control, &platform.owner, key(&[Scope::Read])).await.unwrap();
    let text = old.key.expose();
    let keys = crate::support::Keys { cost: 5, ..Default::default() };
    let (replica, server) = platform.replica("dearer", keys).await;

    opens(&replica, text).await.unwrap();
    platform
        .until("the new hash is stored", || async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let mut uow = windlass_storage::Store::read(&*platform.store).await.unwrap();
            let found = uow.api_keys().find(platform.owner.organization(), old.record.id).await;
            found.unwrap().filter(|key| key.hash.starts_with("$2b$05$"))
        })
        .await;
    opens(&platform.control, text).await.unwrap();
    opens(&replica, text).await.unwrap();
    server.stop().await;
}
