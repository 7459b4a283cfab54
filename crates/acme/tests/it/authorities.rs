//! Authorities that cannot be asked.

use std::net::TcpListener;

use windlass_acme::{AcmeError, Authority, AuthorityConfig, Invalid};

use crate::pebble::{Manner, Pebble};

#[tokio::test]
async fn an_authority_that_is_not_there_is_not_available() {
    let pebble = Pebble::start(Manner::default()).await;
    let credentials = pebble.authority().open_account().await.unwrap();
    let (authority, dead) = (pebble.authority(), pebble.address);
    drop(pebble);
    // Waits until nobody listens there any more.
    while TcpListener::bind(dead).is_err() {
        tokio::task::yield_now().await;
    }
    for err in [
        authority.open_account().await.unwrap_err(),
        authority.account(&credentials).await.unwrap_err(),
    ] {
        assert!(matches!(err, AcmeError::Unavailable { .. }), "{err:?}");
        assert!(err.to_string().contains("refused"), "{err}");
    }
}

#[tokio::test]
async fn an_authority_whose_server_cannot_be_verified_is_not_asked() {
    let pebble = Pebble::start(Manner::default()).await;
    let other = Pebble::start(Manner::default()).await;
    let extra_roots = Some(other.server_root.clone());
    let authority = Authority::new(AuthorityConfig { extra_roots, ..pebble.config() }).unwrap();
    let err = authority.open_account().await.unwrap_err();
    assert!(matches!(err, AcmeError::Unavailable { .. }), "{err:?}");
    assert!(err.to_string().contains("certificate"), "{err}");
}

#[tokio::test]
async fn what_is_no_directory_is_told() {
    let pebble = Pebble::start(Manner::default()).await;
    for (path, why) in [("/nothing", "status 404"), ("/roots/0", "something else")] {
        let directory = format!("https://{}{path}", pebble.management);
        let config = AuthorityConfig { directory: directory.clone(), ..pebble.config() };
        let err = Authority::new(config).unwrap().open_account().await.unwrap_err();
        let AcmeError::Invalid(Invalid::NotADirectory { directory: told, reason }) = err else {
            panic!("{err:?}")
        };
        assert_eq!(told, directory);
        assert!(reason.contains(why), "{reason}");
    }
}
