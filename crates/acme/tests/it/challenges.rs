//! What becomes of challenges that are not answered.

use std::{error::Error as _, time::Duration};

use tokio::time::timeout;
use windlass_acme::{AcmeError, Authority, AuthorityConfig};

use crate::{
    pebble::{Manner, PATIENCE, Pebble},
    site::{Answering, Site},
};

#[tokio::test]
async fn a_challenge_that_nobody_answers_is_told_with_its_host_and_withdrawn() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (seen, solver) = site.solver(Answering::NotAtAll);
    let err = pebble.account().await.order(&["shop.example"], &solver).await.unwrap_err();
    let told = err.to_string();
    let AcmeError::Refused(refusal) = err else { panic!("{err:?}") };
    let problem = refusal.problems.first().unwrap();
    assert_eq!(problem.host.as_deref(), Some("shop.example"));
    assert_eq!(problem.kind, "unauthorized");
    assert!(told.contains("404"), "{told}");
    assert!(told.contains("http://shop.example"), "{told}");
    assert!(told.contains("/.well-known/acme-challenge/"), "{told}");
    assert_eq!(seen.shown().ever, 1);
    assert_eq!(seen.shown().now, [""; 0]);
}

#[tokio::test]
async fn a_host_at_which_nobody_is_is_told() {
    let (site, pebble) = (Site::start().await, Pebble::start(Manner::default()).await);
    let (seen, solver) = site.solver(Answering::Well);
    let err = pebble.account().await.order(&["shop.example"], &solver).await.unwrap_err();
    let AcmeError::Refused(refusal) = err else { panic!("{err:?}") };
    let problem = refusal.problems.first().unwrap();
    assert_eq!((problem.host.as_deref(), &*problem.kind), (Some("shop.example"), "connection"));
    assert_eq!(seen.shown().now, [""; 0]);
}

#[tokio::test]
async fn a_challenge_that_cannot_be_presented_is_withdrawn() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (seen, solver) = site.solver(Answering::Failing);
    let hosts = ["a.example", "b.example"];
    let err = pebble.account().await.order(&hosts, &solver).await.unwrap_err();
    assert!(matches!(err, AcmeError::NotPresented { .. }), "{err:?}");
    assert!(err.to_string().contains(".example"), "{err}");
    assert_eq!(err.source().unwrap().to_string(), "nobody is at home");
    assert_eq!(seen.shown().ever, 1);
    assert_eq!(seen.shown().now, [""; 0]);
}

#[tokio::test]
async fn an_order_that_is_given_up_half_way_leaves_no_challenge() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (seen, solver) = site.solver(Answering::Hanging);
    let account = pebble.account().await;
    let order =
        tokio::spawn(async move { account.order(&["shop.example"], &solver).await.map(drop) });
    timeout(PATIENCE, seen.until_shown(1)).await.unwrap();
    order.abort();
    timeout(PATIENCE, seen.until_shown(0)).await.unwrap();
    assert!(order.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn an_order_ends_in_time_and_leaves_no_challenge() {
    let (site, pebble) = Site::with_pebble(Manner::default()).await;
    let (seen, solver) = site.solver(Answering::Hanging);
    let credentials = pebble.authority().open_account().await.unwrap();
    let config = AuthorityConfig { timeout: Duration::from_secs(2), ..pebble.config() };
    let account = Authority::new(config).unwrap().account(&credentials).await.unwrap();
    let order = timeout(PATIENCE, account.order(&["shop.example"], &solver)).await;
    let err = order.expect("long before that").unwrap_err();
    assert!(matches!(err, AcmeError::Unavailable { .. }), "{err:?}");
    assert_eq!(seen.shown().ever, 1);
    assert_eq!(seen.shown().now, [""; 0]);
}
