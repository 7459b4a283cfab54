//! Accounts, and finding them again.

use secrecy::{ExposeSecret as _, SecretString};
use windlass_acme::{AcmeError, Authority, Invalid};

use crate::{
    pebble::{HMAC_KEY, KEY_ID, Manner, Pebble},
    site::{Answering, Site},
};

#[tokio::test]
async fn an_account_is_found_again_by_credentials_that_were_stored() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let stored = pebble.authority().open_account().await.unwrap().expose_secret().to_owned();
    let credentials = SecretString::from(stored);
    let (_, solver) = site.solver(Answering::Well);
    for _ in 0..2 {
        let account = pebble.authority().account(&credentials).await.unwrap();
        account.order(&["shop.example"], &solver).await.unwrap();
    }
}

#[tokio::test]
async fn the_key_of_an_account_is_shown_nowhere() {
    let pebble = Pebble::start(Manner::default()).await;
    let authority = pebble.authority();
    let credentials = authority.open_account().await.unwrap();
    let account = authority.account(&credentials).await.unwrap();
    let key: serde_json::Value = serde_json::from_str(credentials.expose_secret()).unwrap();
    let key = key["key_pkcs8"].as_str().unwrap();
    let broken = credentials.expose_secret().replace("key_pkcs8\":\"", "key_pkcs8\":\"!");
    let err = authority.account(&broken.into()).await.unwrap_err();
    assert!(matches!(err, AcmeError::Invalid(Invalid::Credentials)), "{err:?}");
    let told = format!("{credentials:?} {account:?} {authority:?} {err:?} {err}");
    assert!(!told.contains(key), "{told}");
}

#[tokio::test]
async fn an_account_that_the_authority_does_not_know_any_more_is_told() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let credentials = pebble.authority().open_account().await.unwrap();
    // As if all of it had been forgotten.
    let successor = Pebble::start(Manner::default()).await;
    let moved = credentials
        .expose_secret()
        .replace(&pebble.address.to_string(), &successor.address.to_string());
    let account = successor.authority().account(&moved.into()).await.unwrap();
    let (_, solver) = site.solver(Answering::Well);
    let err = account.order(&["shop.example"], &solver).await.unwrap_err();
    assert!(matches!(err, AcmeError::AccountUnknown(_)), "{err:?}");
}

#[tokio::test]
async fn an_account_with_another_authority_is_not_used() {
    let pebble = Pebble::start(Manner::default()).await;
    let credentials = pebble.authority().open_account().await.unwrap();
    let other = Pebble::start(Manner::default()).await;
    let err = other.authority().account(&credentials).await.unwrap_err();
    let AcmeError::Invalid(invalid) = err else { panic!("{err:?}") };
    let (theirs, ours) = (pebble.directory(), other.directory());
    assert_eq!(invalid, Invalid::OtherAuthority { theirs, ours });
}

#[tokio::test]
async fn an_authority_that_wants_an_external_account_gets_it() {
    let manner = Manner { wants_external_account: true, ..Manner::default() };
    let (site, pebble) = Site::with_pebble(manner).await;
    let authority = Authority::new(pebble.config_with_external_account(KEY_ID)).unwrap();
    let credentials = authority.open_account().await.unwrap();
    let (_, solver) = site.solver(Answering::Well);
    // It is named only once.
    let account = pebble.authority().account(&credentials).await.unwrap();
    account.order(&["shop.example"], &solver).await.unwrap();
}

#[tokio::test]
async fn without_an_external_account_that_it_knows_it_refuses() {
    let manner = Manner { wants_external_account: true, ..Manner::default() };
    let pebble = Pebble::start(manner).await;
    let err = pebble.authority().open_account().await.unwrap_err();
    let AcmeError::Refused(refusal) = err else { panic!("{err:?}") };
    assert_eq!(refusal.problems.first().unwrap().kind, "externalAccountRequired");

    let unknown = Authority::new(pebble.config_with_external_account("kid-0")).unwrap();
    let err = unknown.open_account().await.unwrap_err();
    assert!(matches!(err, AcmeError::Refused(_)), "{err:?}");
    let told = format!("{unknown:?} {err:?} {err}");
    assert!(!told.contains(HMAC_KEY), "{told}");
}
