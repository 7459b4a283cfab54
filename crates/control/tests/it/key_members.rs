//! Keys never do more than their creators may now.

use windlass_auth::{PermissionSet, Role, Scope};
use windlass_control::{Control, ControlError, Presentation, create_api_key};
use windlass_storage::{Signal, Store as _};

use crate::{
    keys::key,
    support::{Keys, Platform},
};

/// Tells every server that the owner's place has changed, as whoever changes it does.
async fn tell(platform: &Platform) {
    let mut uow = platform.store.write().await.unwrap();
    uow.signal(Signal::Member(platform.owner.principal.user_id));
    uow.commit().await.unwrap();
}

async fn permissions(control: &Control, text: &str) -> Result<PermissionSet, ControlError> {
    control.authenticate(Presentation::bearer(text)).await.map(|principal| principal.permissions)
}

#[tokio::test]
async fn every_server_takes_from_keys_what_their_creator_has_lost() {
    let platform = Platform::new("key_members").await;
    let minted = create_api_key(&platform.control, &platform.owner, key(&[Scope::Admin])).await;
    let text = minted.unwrap().key.expose().to_owned();
    let (one, first) = platform.replica("one", Keys::default()).await;
    let (other, second) = platform.replica("other", Keys::default()).await;
    for server in [&one, &other] {
        assert_eq!(permissions(server, &text).await.unwrap(), PermissionSet::ALL);
    }

    for role in [Role::Member, Role::Viewer] {
        platform.store.execute(&format!("UPDATE memberships SET role = '{}'", role.name())).await;
        tell(&platform).await;
        for server in [&one, &other] {
            platform
                .until("the key shrinks", || async {
                    let granted = permissions(server, &text).await.unwrap();
                    (granted == role.permissions()).then_some(())
                })
                .await;
        }
    }

    platform.store.execute("DELETE FROM memberships").await;
    tell(&platform).await;
    for server in [&one, &other] {
        platform
            .until("the key dies", || async {
                let refused = permissions(server, &text).await.err()?;
                matches!(refused, ControlError::InvalidCredential(_)).then_some(())
            })
            .await;
    }
    first.stop().await;
    second.stop().await;
}
