//! Getting certificates.

use chrono::{TimeDelta, Utc};
use windlass_acme::{AcmeError, renew_at};

use crate::{
    pebble::Manner,
    site::{Answering, Site},
    tls,
};

#[tokio::test]
async fn clients_of_every_host_accept_the_certificate_that_is_served() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let hosts = ["shop.example", "www.shop.example", "xn--bcher-kva.example"];
    let (seen, solver) = site.solver(Answering::Well);
    let issued = pebble.account().await.order(&hosts, &solver).await.unwrap();
    assert_eq!(seen.shown().ever, 3);
    assert_eq!(seen.shown().now, [""; 0], "nothing is presented any more");

    let address = site.serve(&hosts, &issued).await;
    let root = pebble.issuing_root().await;
    for host in hosts {
        tls::connect(address, host, &root).await.unwrap();
    }
    let other = tls::connect(address, "other.example", &root).await;
    assert!(other.is_err(), "and of no other");
}

#[tokio::test]
async fn a_certificate_says_how_long_it_lives() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (_, solver) = site.solver(Answering::Well);
    let issued = pebble.account().await.order(&["shop.example"], &solver).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "Pebble has the time of this machine")]
    let now = Utc::now();
    assert!((now - issued.not_before).abs() < TimeDelta::minutes(5), "{issued:?}");
    let renewal = renew_at(issued.not_before, issued.not_after, u64::MAX / 3);
    assert!(now < renewal && renewal < issued.not_after, "{issued:?}");
}

#[tokio::test]
async fn a_certificate_is_shown_without_its_key() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (_, solver) = site.solver(Answering::Well);
    let issued = pebble.account().await.order(&["shop.example"], &solver).await.unwrap();
    assert!(!format!("{issued:?}").contains("KEY"), "{issued:?}");
}

#[tokio::test]
async fn requests_that_are_refused_for_their_nonce_are_made_again() {
    let manner = Manner { refused_nonces: 50, ..Manner::default() };
    let (site, pebble) = Site::with_pebble(manner).await;
    let (seen, solver) = site.solver(Answering::Well);
    let account = pebble.account().await;
    for hosts in [["a.example", "b.example"], ["c.example", "d.example"]] {
        account.order(&hosts, &solver).await.unwrap();
    }
    assert_eq!(seen.shown().ever, 4);
}

#[tokio::test]
async fn hosts_that_were_shown_of_late_are_not_asked_again() {
    let manner = Manner { reused_authorizations: 100, ..Manner::default() };
    let (site, pebble) = Site::with_pebble(manner).await;
    let (seen, solver) = site.solver(Answering::Well);
    let account = pebble.account().await;
    account.order(&["a.example"], &solver).await.unwrap();
    account.order(&["a.example"], &solver).await.unwrap();
    assert_eq!(seen.shown().ever, 1, "neither for a certificate of the same host");
    account.order(&["a.example", "b.example"], &solver).await.unwrap();
    assert_eq!(seen.shown().ever, 2, "nor for one of others as well");
}

#[tokio::test]
async fn a_host_that_the_authority_does_not_serve_is_refused() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (seen, solver) = site.solver(Answering::Well);
    let hosts = ["shop.example", "blocked.example"];
    let err = pebble.account().await.order(&hosts, &solver).await.unwrap_err();
    let AcmeError::Refused(refusal) = err else { panic!("{err:?}") };
    assert!(refusal.to_string().contains("blocked.example"), "{refusal}");
    assert!(refusal.to_string().contains("rejectedIdentifier"), "{refusal}");
    assert_eq!(seen.shown().ever, 0);
}

#[tokio::test]
async fn a_wildcard_is_refused_before_the_authority_is_asked() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (_, solver) = site.solver(Answering::Well);
    let account = pebble.account().await;
    drop(pebble);
    let err = account.order(&["*.shop.example"], &solver).await.unwrap_err();
    assert!(matches!(err, AcmeError::Invalid(_)), "{err:?}");
}
